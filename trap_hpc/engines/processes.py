"""Worker processes on this machine, without a broker.

The processes are forked from a server that imports the pipeline once and does nothing
else: no thread, no open file and no lock of the launcher crosses the fork, and a dead
worker is replaced in milliseconds. Each worker has a pipe of its own; one more task
than it works on waits there, so that it is never idle while the launcher is busy.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any

from trap_hpc.engines.base import Died, Failed, Finished, Lost, Outcome, TimedOut
from trap_hpc.errors import RunError, StorageError
from trap_hpc.pipeline.tasks import Receipt, Task, work

WAITING_AT_A_WORKER = 1
STILLBORN_IN_A_ROW = 3
"""So many processes a worker may end before they are ready, then the run gives up."""
READY = b"ready"
PAUSES_S = (0, 0.1, 0.5, 2)
"""Before each try to start a process."""


class ProcessesEngine:
    """``workers`` processes of this machine."""

    name = "processes"

    def __init__(self, workers: int, cores: Sequence[int] = ()) -> None:
        """``cores``: pin worker n to ``cores[n]``, where the system can."""
        self._workers = workers
        self._cores = cores
        self._pool: list[_Worker] = []
        self._stillborn = 0
        self._context = multiprocessing.get_context("forkserver")

    @property
    def workers(self) -> int:
        """How many tasks are worked on at the same time."""
        return self._workers

    @property
    def places(self) -> int:
        """In how many places: a process that was ended has another in its place."""
        return self._workers

    @property
    def capacity(self) -> int:
        """How many tasks may be under way, those waiting at a worker included."""
        return self._workers * (1 + WAITING_AT_A_WORKER)

    @property
    def process_ids(self) -> Sequence[int]:
        """The workers' processes, as the system knows them."""
        return [worker.pid for worker in self._pool]

    def start(self) -> None:
        """Start the fork server, then the workers."""
        self._context.set_forkserver_preload([work.__module__])
        self._pool = [self._new_worker(n) for n in range(self._workers)]

    def submit(self, task: Task) -> None:
        """Give ``task`` to the worker with the least to do."""
        min(self._pool, key=lambda worker: len(worker.tasks)).send(task)

    def outcomes(self, timeout_s: float) -> Sequence[Outcome]:
        """Wait until a worker says something or dies, and return all the news."""
        talking = {worker.connection: worker for worker in self._pool}
        ready = wait(list(talking), timeout_s)
        news = [
            outcome
            for connection in ready
            for outcome in self._news(talking[connection])
        ]
        return [*news, *self._end_the_slow()]

    def close(self) -> None:
        """Kill all workers; what they had not finished is not there."""
        for worker in self._pool:
            worker.kill()
        self._pool = []

    def _new_worker(self, number: int) -> _Worker:
        core = self._cores[number % len(self._cores)] if self._cores else None
        error: Exception | None = None
        for pause_s in PAUSES_S:
            time.sleep(pause_s)
            try:
                return _Worker(self._context, number, core)
            except (EOFError, OSError) as reason:
                error = reason  # a fork server that has just died is replaced next time
        raise RunError(f"can't start a worker process: {error or 'no fork server'}")

    def _news(self, worker: _Worker) -> Iterator[Outcome]:
        try:
            yield from worker.receive()
        except (EOFError, OSError):
            self._replace(worker)
            yield from worker.last_words()

    def _end_the_slow(self) -> Iterator[Outcome]:
        for worker in [worker for worker in self._pool if worker.overran]:
            worker.kill()
            self._replace(worker)
            yield from worker.last_words(overran=True)

    def _replace(self, worker: _Worker) -> None:
        """Put a new worker in the place of a dead one, if that has any hope."""
        self._stillborn = 0 if worker.ready else self._stillborn + 1
        if self._stillborn > STILLBORN_IN_A_ROW * self._workers:
            raise RunError(
                f"worker processes end before they do anything ({worker.how()}); is "
                "there enough memory, and does `python -c 'import trap_hpc.pipeline."
                "tasks'` work here?"
            )
        self._pool[worker.number] = self._new_worker(worker.number)


class _Worker:
    """The launcher's side of one worker process."""

    def __init__(self, context: Any, number: int, core: int | None) -> None:
        self.number = number
        self.ready = False
        self.tasks: deque[Task] = deque()
        self._began_s = time.monotonic()
        self.connection, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(theirs, core), name=f"worker-{number}", daemon=True
        )
        with _ctrl_c_waits():
            self._process.start()
        theirs.close()
        self.pid: int = self._process.pid

    @property
    def overran(self) -> bool:
        """Whether it works on its first task for longer than that may take."""
        limit_s = self.tasks[0].limit_s if self.tasks and self.ready else 0.0
        return 0.0 < limit_s < time.monotonic() - self._began_s

    def send(self, task: Task) -> None:
        if not self.tasks:
            self._began_s = time.monotonic()
        self.tasks.append(task)
        # If it has died, `receive` will say so, and what it had to do.
        with contextlib.suppress(OSError):
            self.connection.send_bytes(json.dumps(asdict(task)).encode())

    def receive(self) -> Iterator[Outcome]:
        message = self.connection.recv_bytes()
        self._began_s = time.monotonic()  # with the next one
        if message == READY:
            self.ready = True
            return  # no news of a task
        answer = json.loads(message)
        task = self.tasks.popleft()
        if "receipt" in answer:
            yield Finished(task=task, receipt=Receipt(**answer["receipt"]))
        else:
            yield Failed(task=task, **answer)

    def last_words(self, *, overran: bool = False) -> Iterator[Outcome]:
        """Its first task was being worked on when it died; the others waited."""
        how = self.how()
        name = f"{self._process.name} (process {self.pid})"
        for position, task in enumerate(self.tasks):
            if position > 0 or not self.ready:
                yield Lost(task=task, worker=name)
            elif overran:
                yield TimedOut(task=task, worker=name)
            else:
                yield Died(task=task, worker=name, how=how)

    def how(self) -> str:
        """Say how the process ended."""
        self._process.join(1)  # its pipe may close a moment before it ends
        self.kill()
        code = self._process.exitcode
        return f"signal {-code}" if code and code < 0 else f"exit code {code}"

    def kill(self) -> None:
        self._process.kill()
        self._process.join()
        self.connection.close()


@contextlib.contextmanager
def _ctrl_c_waits() -> Iterator[None]:
    """Hold Ctrl-C back for a moment; a process begun in it never hears of it.

    It goes to all processes of a terminal, and the fork server would answer with a
    traceback while it is imported.
    """
    resource_tracker.ensure_running()  # it would let Ctrl-C through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(connection: Connection, core: int | None) -> None:
    """Run in the worker process: answer tasks until the launcher is gone."""
    os.setsid()  # what a terminal sends is for the launcher alone
    if core is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})
    with contextlib.suppress(EOFError, ConnectionError):  # the launcher is gone
        connection.send_bytes(READY)
        while True:
            task = Task(**json.loads(connection.recv_bytes()))
            connection.send_bytes(json.dumps(_answer(task)).encode())


def _answer(task: Task) -> dict[str, Any]:
    try:
        return {"receipt": asdict(work(task))}
    except StorageError as error:
        return {"error": str(error), "fatal": True}
    except Exception as error:  # noqa: BLE001  the worker outlives any task
        return {"error": f"{type(error).__name__}: {error}"}
