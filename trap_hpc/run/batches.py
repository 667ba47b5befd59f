"""Cutting work into batches, sending them, and sending again what was lost.

The engine delivers at most once; what is worth another try is decided here. A worker's
process that dies under a batch costs the batch an attempt. After three, the batch is
cut in two, and so on until the guilty image stands alone and is refused, while all
others are done. Losing a worker that was not to blame costs nothing, within reason.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from trap_hpc.engines.base import Died, Engine, Failed, Finished, Lost, Outcome
from trap_hpc.errors import RunError, StorageError
from trap_hpc.paths import RunPaths
from trap_hpc.pipeline.measurements import Finding
from trap_hpc.pipeline.records import Refusal
from trap_hpc.pipeline.tasks import Batch, Item, Task, write_batch
from trap_hpc.run.ledger import Ledger
from trap_hpc.run.pace import Pace
from trap_hpc.run.receipts import Receipts, Seen

ATTEMPTS = 3
LOSSES = 10
STEPS = ("scan", "force", "measure")
"""In the order of their urgency: light curves wait for forced fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One item to be worked on. ``id`` is its id in the ledger."""

    id: int
    item: Item


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """A batch under way, and what has become of it so far."""

    batch: int
    step: str
    work: Sequence[Work]
    deaths: int = 0
    tries: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A finished batch."""

    batch: int
    step: str
    work: Sequence[Work]
    findings: Sequence[Finding]


class Dispatcher:
    """Keeps the engine busy with what waits, and hears what became of it."""

    def __init__(
        self,
        engine: Engine,
        ledger: Ledger,
        paths: RunPaths,
        pace: Pace,
        log: Callable[[str], None],
    ) -> None:
        self._engine = engine
        self._ledger = ledger
        self._paths = paths
        self._pace = pace
        self._log = log
        self._session = ledger.fact("session")
        self._waiting: dict[str, deque[Work]] = {step: deque() for step in STEPS}
        self._again: deque[Sending] = deque()
        self._sent: dict[Task, Sending] = {}
        self._receipts: Receipts[Sending] = Receipts(paths.measurements)
        self._next = ledger.next_batch()
        self._total = 0

    @property
    def idle(self) -> bool:
        """Nothing waits and nothing is under way."""
        waiting = self._again or any(self._waiting.values())
        return not (self._sent or self._receipts or waiting)

    def waiting(self, step: str) -> int:
        """How many items of ``step`` have not been sent."""
        return len(self._waiting[step])

    def offer(self, step: str, work: Sequence[Work], *, first: bool = False) -> None:
        """Let ``work`` be done, ``first`` or after all that waits."""
        queue = self._waiting[step]
        if first:
            queue.extendleft(reversed(work))
        else:
            queue.extend(work)
        self._total += len(work)

    def reorder(self, step: str, key: Callable[[Work], object]) -> None:
        """Sort what waits."""
        self._waiting[step] = deque(sorted(self._waiting[step], key=key))  # type: ignore[arg-type]

    def feed(self, *, hold_partial: bool) -> None:
        """Send batches while the engine has room.

        ``hold_partial`` keeps forced fits back until they fill a batch.
        """
        while len(self._sent) < self._engine.capacity:
            if self._again:
                self._send(self._again.popleft())
                continue
            step = self._most_urgent(hold_partial)
            if step is None:
                return
            self._send(self._cut(step))

    def collect(self, timeout_s: float) -> list[Done]:
        """Wait for news and return the batches that are done.

        Raises
        ------
        StorageError
            A worker can't write its measurement file.
        RunError
            A batch failed again and again for a reason that is no image's.
        """
        done = [self._hear(news) for news in self._engine.outcomes(timeout_s)]
        done += [self._finish(seen) for seen in self._receipts.look()]
        return [each for each in done if each]

    def _most_urgent(self, hold_partial: bool) -> str | None:
        for step in STEPS:
            queue = self._waiting[step]
            if not queue:
                continue
            if hold_partial and step == "force" and len(queue) < self._pace.full(step):
                continue
            return step
        return None

    def _size(self, step: str) -> int:
        waiting, workers = len(self._waiting[step]), self._engine.workers
        return self._pace.size(step, waiting, workers, self._total)

    def _cut(self, step: str) -> Sending:
        queue = self._waiting[step]
        size = min(self._size(step), len(queue))
        return self._new(step, [queue.popleft() for _ in range(size)])

    def _new(self, step: str, work: Sequence[Work], deaths: int = 0) -> Sending:
        batch, self._next = self._next, self._next + 1
        return Sending(batch=batch, step=step, work=work, deaths=deaths)

    def _send(self, sending: Sending) -> None:
        sending = replace(sending, tries=sending.tries + 1)
        name = f"{sending.step}-{self._session}-{sending.batch:06d}"
        items = [work.item for work in sending.work]
        batch = Batch(name=name, step=sending.step, items=items)
        write_batch(self._paths.batches, batch)
        self._ledger.sent(sending.batch, name, sending.step, len(items), sending.tries)
        run = str(self._paths.directory.absolute())  # workers stand elsewhere
        task = Task(run=run, batch=name, attempt=sending.tries)
        self._sent[task] = sending
        self._engine.submit(task)

    def _hear(self, news: Outcome) -> Done | None:
        sending = self._sent.pop(news.task)
        match news:
            case Finished():
                self._receipts.add(sending, news.receipt)
            case Died():
                return self._died(news, sending)
            case Lost():
                self._try_again(sending, f"{news.worker} is lost")
            case Failed(fatal=True):
                raise StorageError(news.error)
            case Failed():
                if sending.tries >= ATTEMPTS:
                    raise RunError(f"batch {news.task.batch} failed: {news.error}")
                self._try_again(sending, news.error)
        return None

    def _finish(self, seen: Seen[Sending]) -> Done | None:
        sending, receipt = seen.whose, seen.receipt
        if seen.findings is None:
            self._try_again(sending, seen.why)
            return None
        self._pace.learn(sending.step, receipt.seconds / max(receipt.items, 1))
        self._ledger.finished(sending.batch, receipt)
        return self._done(sending, seen.findings)

    def _done(self, sending: Sending, findings: Sequence[Finding]) -> Done:
        return Done(
            batch=sending.batch,
            step=sending.step,
            work=sending.work,
            findings=findings,
        )

    def _try_again(self, sending: Sending, why: str) -> None:
        if sending.tries >= LOSSES:
            raise RunError(
                f"a batch of {sending.step} was lost {sending.tries} times, the last "
                f"time because {why}; see {self._paths.log}"
            )
        self._log(f"batch {sending.batch} is sent again: {why}")
        self._again.append(sending)

    def _died(self, news: Died, sending: Sending) -> Done | None:
        sending = replace(sending, deaths=sending.deaths + 1)
        self._log(f"{news.worker} died under batch {sending.batch}: {news.how}")
        if sending.deaths < ATTEMPTS:
            self._again.append(sending)
            return None
        if len(sending.work) == 1:
            (work,) = sending.work
            reason = f"its worker died ({news.how}) each of {sending.deaths} times"
            refusal = Refusal(address=work.item.address, kind="failed", reason=reason)
            return self._done(sending, [refusal])
        self._halve(sending)
        return None

    def _halve(self, sending: Sending) -> None:
        """One of its images is guilty: one more death is enough to cut a half."""
        middle = len(sending.work) // 2
        for half in (sending.work[:middle], sending.work[middle:]):
            deaths = ATTEMPTS - 1 if len(half) > 1 else 0
            self._again.append(self._new(sending.step, half, deaths))
