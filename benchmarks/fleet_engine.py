"""An engine that behaves like a thousand workers.

The books are those of the Celery engine. Workers take tasks from a queue in its order,
need their time for each, report every few seconds, and some vanish with what they
have. What they would measure is made up by one process, when it is due.
"""

from __future__ import annotations

import heapq
import multiprocessing
import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field, replace
from functools import partial

from benchmarks.synthetic_engine import work
from trap_hpc.engines.base import Outcome
from trap_hpc.engines.celery.books import Books
from trap_hpc.engines.celery.messages import Done, Here, Report, Taken
from trap_hpc.pipeline.tasks import Receipt, Task

LEASE_S, BEAT_S = 60.0, 5.0
TASK_S = 1.5
STRAGGLERS, SLOWNESS = 0.01, 5
"""One task in a hundred takes five times as long."""
VANISH = 0.001
"""Of a thousand tasks, one takes its worker with it; another comes in its place."""
SECONDS = {"scan": 0.01, "measure": 0.2, "force": 0.1}
"""What an item takes, so that batches are as long as with real images."""
TICK_S = 0.1
PREPARED = 4
"""So many tasks wait at the one process that does them."""


@dataclass(slots=True)
class _Worker:
    name: str
    held: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Taken:
    worker: _Worker
    sending: str
    task: Task


class FleetEngine:
    """``workers`` workers. Time is the real one, but idle time is skipped."""

    name = "fleet"

    def __init__(self, workers: int, sources: int, seed: int = 1) -> None:
        self._count = workers
        self._sources = sources
        self._random = random.Random(seed)
        self._began_s = time.monotonic()
        self._books = Books(LEASE_S, self._clock)
        self._queue: deque[tuple[str, Task]] = deque()
        self._outstanding = 0
        self._workers: dict[str, _Worker] = {}
        self._free: deque[_Worker] = deque()
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._number = 0
        self._news: list[Outcome] = []
        self._due: deque[_Taken] = deque()
        self._working: dict[Future[Receipt], _Taken] = {}
        self.lost = 0

    @property
    def workers(self) -> int:
        return max(self._books.slots, 1)

    @property
    def places(self) -> int:
        return self._books.places

    @property
    def capacity(self) -> int:
        return self._books.capacity

    def start(self) -> None:
        """Start the one process, without anything of this one in it."""
        context = multiprocessing.get_context("forkserver")
        self._pool = ProcessPoolExecutor(1, mp_context=context)
        for _ in range(self._count):
            self._join()

    def submit(self, task: Task) -> None:
        self._outstanding += 1
        self._queue.append((self._books.send(task), task))
        self._hand_out()

    def outcomes(self, timeout_s: float) -> Sequence[Outcome]:
        until_s = self._clock() + timeout_s
        while True:
            self._happen()
            self._listen(max(0.0, min(until_s - self._clock(), TICK_S)))
            self._news += self._books.overdue()
            if self._news or self._clock() >= until_s:
                break
        news, self._news = self._news, []
        self._outstanding -= len(news)
        return news

    def close(self) -> None:
        self._pool.shutdown()

    # what happens --------------------------------------------------------------

    def _clock(self) -> float:
        return time.monotonic() - self._began_s

    def _happen(self) -> None:
        """Let everything happen that is due; the next thing, if nobody works."""
        while self._events and self._events[0][0] <= self._clock():
            heapq.heappop(self._events)[2]()
        idle = self._outstanding and not (self._due or self._working or self._news)
        if idle and self._events:
            self._began_s -= max(0.0, self._events[0][0] - self._clock())

    def _listen(self, timeout_s: float) -> None:
        while self._due and len(self._working) < PREPARED:
            taken = self._due.popleft()
            self._working[self._pool.submit(work, taken.task, self._sources)] = taken
        if self._working:
            done, _ = wait(self._working, timeout_s, FIRST_COMPLETED)
            for future in done:
                self._done(future)

    def _at(self, later_s: float, happen: Callable[[], None]) -> None:
        self._number += 1  # what happens at the same time does so in this order
        heapq.heappush(self._events, (self._clock() + later_s, self._number, happen))

    def _join(self) -> None:
        self._number += 1
        worker = _Worker(f"node{self._number % 50:03d}-{self._number}")
        self._workers[worker.name] = worker
        self._free.append(worker)
        self._beat(worker)
        self._hand_out()

    def _beat(self, worker: _Worker) -> None:
        if worker.name in self._workers:  # it has not vanished
            self._hear(_here(worker))
            wait_s = BEAT_S * self._random.uniform(0.9, 1.0)
            self._at(wait_s, partial(self._beat, worker))

    def _hand_out(self) -> None:
        while self._free and self._queue:
            worker, (sending, task) = self._free.popleft(), self._queue.popleft()
            worker.held.add(sending)
            self._hear(Taken(worker=worker.name, id=sending))
            needs_s = TASK_S * self._random.uniform(0.7, 1.3)
            if self._random.random() < STRAGGLERS:
                needs_s *= SLOWNESS
            vanishes = self._random.random() < VANISH
            end = self._vanish if vanishes else self._due.append
            self._at(needs_s, partial(end, _Taken(worker, sending, task)))

    def _vanish(self, taken: _Taken) -> None:
        """Fall silent: the books find out after a lease."""
        del self._workers[taken.worker.name]
        self.lost += 1
        self._at(10 * BEAT_S, self._join)

    def _done(self, future: Future[Receipt]) -> None:
        taken, receipt = self._working.pop(future), future.result()
        worker = taken.worker
        worker.held.discard(taken.sending)
        seconds = receipt.items * SECONDS[taken.task.batch.partition("-")[0]]
        receipt = replace(receipt, seconds=seconds)
        self._hear(Done(worker=worker.name, id=taken.sending, receipt=receipt))
        self._free.append(worker)
        self._hand_out()

    def _hear(self, report: Report) -> None:
        self._news += self._books.hear(report)


def _here(worker: _Worker) -> Here:
    return Here(
        worker=worker.name,
        job=worker.name,
        node=worker.name.partition("-")[0],
        slots=1,
        address="10.0.0.1",
        held=tuple(worker.held),
    )
