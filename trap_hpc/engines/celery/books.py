"""Who works on what, by the workers' own reports.

It knows neither a broker nor a thread: reports go in, outcomes come out. A task has one
outcome for each sending; whatever is heard of it later is of no interest any more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from uuid import uuid4

from trap_hpc.engines.base import (
    Died,
    Failed,
    Finished,
    Lost,
    Member,
    Outcome,
    TimedOut,
)
from trap_hpc.engines.celery.messages import (
    Done,
    Here,
    Killed,
    Left,
    Overran,
    Raised,
    Report,
    Returned,
    Taken,
)
from trap_hpc.engines.celery.present import Present
from trap_hpc.engines.celery.unclaimed import Unclaimed
from trap_hpc.pipeline.tasks import Task

TASKS_A_SLOT = 2
"""One is worked on, one waits beside it."""
NOBODY = "a worker that took it, but never said so"


@dataclass(slots=True)
class _Open:
    """A task under way."""

    task: Task
    holder: str = ""


class Books:
    """The tasks under way and the workers that are there. Not safe for threads."""

    def __init__(self, lease_s: float, clock: Callable[[], float]) -> None:
        """``clock`` is monotonic, in seconds."""
        self._lease_s = lease_s
        self._clock = clock
        self._open: dict[str, _Open] = {}
        self._workers: dict[str, Present] = {}
        self._gone: set[str] = set()
        self.unclaimed = Unclaimed(clock)
        self.slots = 0
        """How many tasks are worked on at the same time."""

    @property
    def capacity(self) -> int:
        """How many tasks may be under way."""
        return TASKS_A_SLOT * self.slots

    @property
    def places(self) -> int:
        """How many workers are there, whatever their slots."""
        return len(self._workers)

    @property
    def members(self) -> Sequence[Member]:
        """The workers that are there."""
        now_s = self._clock()
        return [worker.member(now_s) for worker in self._workers.values()]

    def send(self, task: Task) -> str:
        """Note that ``task`` is sent now; return the id of this sending."""
        sending = uuid4().hex
        self._open[sending] = _Open(task)
        self.unclaimed.add(sending)
        return sending

    def hear(self, report: Report) -> Iterator[Outcome]:
        """Take a report, and yield what it means for tasks."""
        worker = self._workers.get(report.worker)
        if worker is not None:
            worker.heard_s = self._clock()
        match report:
            case Here():
                yield from self._here(report)
            case Taken():
                yield from self._claim(report.id, report.worker)
            case Returned():
                yield from self._returned(report)
            case Left():
                yield from self._drop(report.worker, for_ever=True)
            case _:
                yield from self._settled(report)

    @property
    def suspicious(self) -> bool:
        """Whether `overdue` would give somebody or something up."""
        return bool(self._silent() or self.unclaimed.overdue)

    def overdue(self) -> Iterator[Outcome]:
        """Give up workers that were silent for a lease, and tasks that nobody claims.

        All reports that wait must have been taken before: it is this side that may
        have been busy elsewhere.
        """
        for name in self._silent():
            yield from self._drop(name, for_ever=False)
        for sending in self.unclaimed.overdue:
            yield self._lost(sending, NOBODY)

    def excuse(self, silence_s: float) -> None:
        """Blame nobody for a silence: nothing could be heard."""
        for worker in self._workers.values():
            worker.heard_s += silence_s
        self.unclaimed.excuse(silence_s)

    def forget(self, jobs: Collection[str]) -> Iterator[Outcome]:
        """Drop the workers of these jobs, for good."""
        for name in [n for n, w in self._workers.items() if w.here.job in jobs]:
            yield from self._drop(name, for_ever=True)

    def deaf(self, wait_s: float) -> Sequence[str]:
        """Return the workers that have taken nothing for ``wait_s`` and could have.

        Of use only while tasks wait in the queue. A worker is named once in ``wait_s``.
        """
        limit_s = self._clock() - wait_s
        if self.unclaimed.waiting_s < wait_s:
            return []
        deaf = [
            worker
            for worker in self._workers.values()
            if len(worker.held) < worker.here.slots and worker.took_s < limit_s
        ]
        for worker in deaf:
            worker.took_s = self._clock()
        return [worker.here.worker for worker in deaf]

    # the parts -----------------------------------------------------------------

    def _silent(self) -> Sequence[str]:
        limit_s = self._clock() - self._lease_s
        return [n for n, w in self._workers.items() if w.heard_s < limit_s]

    def _here(self, here: Here) -> Iterator[Outcome]:
        if here.worker in self._gone:
            return
        now_s = self._clock()
        yield from self._supersede(here)
        worker = self._workers.get(here.worker)
        if worker is None:
            worker = Present(here, now_s, now_s, now_s)
            self._workers[here.worker] = worker
            self.slots += here.slots
        self.slots += here.slots - worker.here.slots
        worker.here, worker.here_s = here, now_s
        for sending in worker.held - set(here.held):
            yield self._lost(sending, here.worker)
        for sending in here.held:
            yield from self._claim(sending, here.worker)

    def _supersede(self, here: Here) -> Iterator[Outcome]:
        """Give up the worker that was there before in a job that has begun again.

        A job has one worker on a node. It was put back into its queue, or was started
        anew: then it will not tell that it left.
        """
        if here.worker in self._workers:
            return
        for name, worker in list(self._workers.items()):
            if (worker.here.job, worker.here.node) == (here.job, here.node):
                yield from self._drop(name, for_ever=True)

    def _claim(self, sending: str, name: str) -> Iterator[Outcome]:
        task, worker = self._open.get(sending), self._workers.get(name)
        if task is None or task.holder == name:
            return
        self.unclaimed.claimed(sending)
        if worker is None:  # it was given up: so is what it takes
            yield self._lost(sending, name)
            return
        self._release(sending, task)
        task.holder = name
        worker.held.add(sending)
        worker.took_s = self._clock()

    def _returned(self, report: Returned) -> Iterator[Outcome]:
        """Believe a worker that it has not got the task; others may well have it."""
        task = self._open.get(report.id)
        if task is not None and task.holder in ("", report.worker):
            yield self._lost(report.id, report.worker, begun=False)

    def _settled(self, report: Done | Raised | Killed | Overran) -> Iterator[Outcome]:
        if report.id not in self._open:
            return
        task = self._settle(report.id)
        worker = self._workers.get(report.worker)
        match report:
            case Done():
                if worker is not None:
                    worker.done += 1
                yield Finished(task=task, receipt=report.receipt)
            case Raised():
                yield Failed(task=task, error=report.error, fatal=report.fatal)
            case Killed():
                yield Died(task=task, worker=report.worker, how=report.how)
            case Overran():
                yield TimedOut(task=task, worker=report.worker)

    def _drop(self, name: str, *, for_ever: bool) -> Iterator[Outcome]:
        """Give up a worker, and what it has."""
        if for_ever:
            self._gone.add(name)
        worker = self._workers.pop(name, None)
        if worker is None:
            return
        self.slots -= worker.here.slots
        for sending in list(worker.held):
            yield self._lost(sending, name)

    def _lost(self, sending: str, name: str, *, begun: bool = True) -> Lost:
        return Lost(task=self._settle(sending), worker=name, begun=begun)

    def _settle(self, sending: str) -> Task:
        task = self._open.pop(sending)
        self.unclaimed.discard(sending)
        self._release(sending, task)
        return task.task

    def _release(self, sending: str, task: _Open) -> None:
        """Nobody has it any more."""
        holder = self._workers.get(task.holder)
        if holder is not None:
            holder.held.discard(sending)
