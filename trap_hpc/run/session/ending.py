"""Ending jobs, and asking the scheduler until it says that none is left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from trap_hpc.errors import RunError
from trap_hpc.run.session import words
from trap_hpc.schedulers.base import Job, Scheduler

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 5.0
PATIENCE_S = 60.0
TOLD_EVERY_S = 10.0
SURE_OF_UNKNOWN = 2
"""A submission whose answer was lost may reach the scheduler a moment later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What the scheduler says at the end."""

    jobs: Sequence[Job] | None
    """Those that are still there; None: it could not be asked."""
    error: str = ""
    """Why it could not be asked."""


@dataclass(slots=True, kw_only=True)
class Ending:
    """Cancels all jobs of one run and sees them gone."""

    scheduler: Scheduler
    run_id: str
    known: Sequence[str]
    """Ids of its jobs, as far as they were noted."""
    submitted: bool
    """Whether a submission was ever begun."""
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    say: Callable[[str], None]
    grace_s: float = 0.0
    """So long workers may take to leave by themselves."""
    patience_s: float = PATIENCE_S
    check: Callable[[], None] = lambda: None
    """It raises if the jobs may be another session's by now."""

    def end(self) -> Left:
        """Cancel, then ask with back-off; never longer than the patience lasts."""
        self.sleep(self.grace_s)
        until_s = self.clock() + (self.patience_s if self.submitted else 0)
        tell_at_s = self.clock() + TOLD_EVERY_S
        cancelled: set[str] = set()
        pause_s, empty = FIRST_PAUSE_S, 0
        while True:
            left = self._ask()
            self.check()  # after it was asked: what is cancelled is of that answer
            empty = empty + 1 if left.jobs is not None and not left.jobs else 0
            if empty >= (1 if self.known or not self.submitted else SURE_OF_UNKNOWN):
                return left
            new = self._arrays(left) - cancelled
            if new and self._cancel(sorted(new)):
                cancelled |= new
            if self.clock() >= until_s:
                return left
            if self.clock() >= tell_at_s:
                tell_at_s = self.clock() + TOLD_EVERY_S
                self.say(waiting_text(left))
            self.sleep(FIRST_PAUSE_S if empty else pause_s)
            pause_s = min(pause_s * 1.5, LONGEST_PAUSE_S)

    def _ask(self) -> Left:
        try:
            jobs = self.scheduler.jobs([self.run_id])
        except RunError as error:
            return Left(jobs=None, error=str(error))
        return Left(jobs=[job for job in jobs if job.state.left])

    def _arrays(self, left: Left) -> set[str]:
        """Return what is to be cancelled; all that is known if nobody answers."""
        if left.jobs is None:
            return set(self.known)
        return {job.array for job in left.jobs}

    def _cancel(self, ids: Sequence[str]) -> bool:
        try:
            self.scheduler.cancel(ids)
        except RunError:
            return False  # it is tried again, and the next answer tells
        return True


def waiting_text(left: Left) -> str:
    """Say what is waited for."""
    if left.jobs is None:
        return f"waiting until the scheduler can be asked: {left.error}"
    number = words.count(len(left.jobs), "job")
    return f"waiting for {number} to end: {words.left_text(left.jobs)}"
