"""Cutting work into batches, sending them, and sending again what was lost.

The engine delivers at most once; what is worth another try is decided here, by the
rules of `run.sendings`. Near the end a batch that is long under way is given to another
worker, too: the first measurement file that is whole counts.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from trap_hpc.engines.base import (
    Died,
    Engine,
    Failed,
    Finished,
    Lost,
    Outcome,
    TimedOut,
)
from trap_hpc.errors import StorageError
from trap_hpc.paths import RunPaths
from trap_hpc.pipeline.measurements import Finding
from trap_hpc.pipeline.records import Refusal
from trap_hpc.pipeline.tasks import Batch, Task, write_batch
from trap_hpc.run.backlog import Backlog
from trap_hpc.run.ledger import Ledger
from trap_hpc.run.pace import Pace
from trap_hpc.run.receipts import Receipts, Seen
from trap_hpc.run.sendings import (
    LONGER,
    Done,
    Sending,
    Verdict,
    Work,
    after_death,
    after_failure,
    after_loss,
    after_time,
    cut_anew,
)
from trap_hpc.run.underway import UnderWay


class Dispatcher:
    """Keeps the engine busy with what waits, and hears what became of it."""

    def __init__(
        self,
        engine: Engine,
        ledger: Ledger,
        paths: RunPaths,
        pace: Pace,
        log: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._ledger = ledger
        self._paths = paths
        self._pace = pace
        self._log = log
        self._session = ledger.fact("session")
        self._backlog = Backlog(pace)
        self._again: deque[Sending] = deque()
        self._under_way = UnderWay(clock)
        self._receipts: Receipts[Sending] = Receipts(paths.measurements)
        self._next = ledger.next_batch()

    @property
    def idle(self) -> bool:
        """Nothing waits and nothing is under way."""
        return not (self._under_way or self._again) and self._backlog.empty

    def waiting(self, step: str) -> int:
        """How many items of ``step`` have not been sent."""
        return self._backlog.waiting(step)

    def offer(self, step: str, work: Sequence[Work], *, first: bool = False) -> None:
        """Let ``work`` be done, ``first`` or after all that waits."""
        self._backlog.offer(step, work, first=first)

    def reorder(self, step: str, key: Callable[[Work], object]) -> None:
        """Sort what waits."""
        self._backlog.reorder(step, key)

    def feed(self, *, hold_partial: bool) -> None:
        """Send batches while the engine has room.

        ``hold_partial`` keeps forced fits back until they fill a batch.
        """
        while self._under_way.tasks < self._engine.capacity:
            sending = self._next_sending(hold_partial)
            if sending is None:
                return
            self._send(sending)

    def _next_sending(self, hold_partial: bool) -> Sending | None:
        if self._again:
            return self._again.popleft()
        cut = self._backlog.cut(self._engine.workers, hold_partial=hold_partial)
        return cut or (self._straggler() if self._backlog.empty else None)

    def collect(self, timeout_s: float) -> Iterator[Done]:
        """Wait for news; yield the batches that are done, one in memory at a time.

        Raises
        ------
        StorageError
            A worker can't write its measurement file.
        RunError
            A batch failed again and again for a reason that is no image's.
        """
        yield from filter(None, map(self._hear, self._engine.outcomes(timeout_s)))
        yield from filter(None, map(self._finish, self._receipts.look()))

    def _straggler(self) -> Sending | None:
        """Return a batch that takes strangely long, while some worker is idle."""
        if self._under_way.tasks >= self._engine.workers:
            return None
        late = self._under_way.late(
            lambda each: self._pace.late_s(each.step, len(each.work))
        )
        for sending in late:
            self._log(f"batch {sending.batch} takes long: another worker tries it, too")
            return sending
        return None

    def _send(self, sending: Sending) -> None:
        number = sending.batch or self._next
        self._next = max(self._next, number + 1)
        sending = replace(sending, batch=number, tries=sending.tries + 1)
        task = self._task(sending)
        self._ledger.sent(
            number, task.batch, sending.step, len(sending.work), sending.tries
        )
        self._under_way.sent(task, sending)
        self._engine.submit(task)

    def _task(self, sending: Sending) -> Task:
        """Write the batch where its workers find it, and return what they are told."""
        step, items = sending.step, [work.item for work in sending.work]
        name = f"{step}-{self._session}-{sending.batch:06d}"
        write_batch(self._paths.batches, Batch(name=name, step=step, items=items))
        return Task(
            run=str(self._paths.directory.absolute()),  # workers stand elsewhere
            batch=name,
            attempt=sending.tries,
            expected_s=self._pace.expected_s(step, len(items)),
            limit_s=self._limit_s(sending),
        )

    def _limit_s(self, sending: Sending) -> float:
        """Whoever took too long gets twice the time: the worker may be slow."""
        limit_s = self._pace.may_take_s(sending.step, len(sending.work))
        return limit_s * float(2 ** min(len(sending.slow), LONGER))

    # what became of it ---------------------------------------------------------

    def _hear(self, news: Outcome) -> Done | None:
        sending = self._under_way.returned(news.task)
        if sending is None:
            return None  # another worker was quicker
        if isinstance(news, Finished) and news.receipt.file == news.task.file:
            self._receipts.add(sending, news.receipt)
            return None
        verdict = self._judge(news, sending)
        if isinstance(verdict, Refusal):
            return self._done(sending, [verdict])
        self._replace(sending, verdict)
        return None

    def _judge(self, news: Outcome, sending: Sending) -> Verdict:
        batch, log = sending.batch, self._log
        match news:
            case Finished():  # who is on the broker, too, may name any file
                return self._lost(sending, "a report names no measurement file of it")
            case Died():
                log(f"{news.worker} died under batch {batch}: {news.how}")
                return after_death(sending, news.how)
            case TimedOut():
                limit_s, places = news.task.limit_s, self._engine.places
                log(f"batch {batch} took over {limit_s:.0f} s on {news.worker}")
                return after_time(sending, news.worker, limit_s, places=places)
            case Lost(begun=False):
                log(f"{news.worker} gave batch {batch} back")
                return self._cut_anew(sending)
            case Lost():
                return self._lost(sending, f"{news.worker} is lost")
            case Failed(fatal=True):
                raise StorageError(news.error)
            case Failed():
                log(f"batch {batch} is sent again: {news.error}")
                return after_failure(sending, news.error)

    def _lost(self, sending: Sending, why: str) -> Sequence[Sending]:
        self._log(f"batch {sending.batch} is sent again: {why}")
        return self._cut_anew(after_loss(sending, why, str(self._paths.log)))

    def _cut_anew(self, sending: Sending) -> Sequence[Sending]:
        return cut_anew(sending, self._pace.full(sending.step))

    def _replace(self, sending: Sending, others: Sequence[Sending]) -> None:
        """Send ``others`` in its place, unless another worker still tries the same."""
        if others[0].batch == sending.batch and self._under_way.update(others[0]):
            return
        self._under_way.end(sending)
        self._again.extend(others)

    def _finish(self, seen: Seen[Sending]) -> Done | None:
        sending = self._under_way.now(seen.whose)
        if sending is None:
            return None  # another worker was quicker
        if seen.findings is None:
            self._replace(sending, self._lost(sending, seen.why))
            return None
        receipt = seen.receipt
        self._pace.learn(sending.step, receipt.seconds / max(receipt.items, 1))
        self._ledger.finished(sending.batch, receipt)
        return self._done(sending, seen.findings)

    def _done(self, sending: Sending, findings: Sequence[Finding]) -> Done:
        self._under_way.end(sending)
        return sending.done(findings)
