"""Which jobs get another one in their place, and when that is of no use any more.

A job that did some work and ends before all is done is replaced, whatever ended it; so
is one that a node or somebody more important took down. A job that was cancelled was
meant to end. One that ends before it has done anything may do so again and again, and
burn what the user was granted: after three in a row nothing is replaced any more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from trap_hpc.engines.base import Member
from trap_hpc.schedulers.base import Job

MEANT = ("CANCELLED",)
EXCUSED = ("PREEMPTED", "NODE_FAIL", "BOOT_FAIL")
"""How a job ends that would have worked elsewhere, or later."""
FRUITLESS = 3
"""So many jobs in a row may end before they have done anything."""
EXCUSES = 10
"""So many times as many as are wanted may be excused before they did anything."""
LEAVING_S = 30.0
"""A worker takes nothing more for some time before its end."""
STARTS = 2
"""So many times as long as the first worker took another one may need to come."""
PART = 1 / 3
"""In the last part of its time, at most, a job is replaced in advance."""


@dataclass(slots=True, kw_only=True)
class Substitutes:
    """What is remembered of the jobs of one session."""

    wanted: int
    """Jobs at a time."""
    worked: set[str] = field(default_factory=set)
    """Jobs whose worker has finished a task."""
    fruitless: list[str] = field(default_factory=list)
    """Jobs that ended before they had done anything, in a row."""
    start_s: float = 0.0
    """How long the first worker took to come."""
    _excused: int = 0
    _replaced: set[str] = field(default_factory=set)
    _at_end: set[str] = field(default_factory=set)
    """Jobs that can't be replaced before they have ended."""
    _given_s: dict[str, float] = field(default_factory=dict)

    @property
    def useless(self) -> bool:
        """Whether replacing has been given up."""
        return len(self.fruitless) >= FRUITLESS

    def see(self, members: Iterable[Member]) -> None:
        """Take note of who works."""
        for member in members:
            if member.done and member.job not in self.worked:
                self.worked.add(member.job)
                self.fruitless.clear()
            if member.left_s is not None:
                self._given_s.setdefault(member.job, member.left_s)

    def after_end(
        self, ended: Sequence[Job], refused: Collection[str], *, anybody: bool
    ) -> list[str]:
        """Return the jobs, of those that have just ended, to be replaced.

        ``refused``: jobs that have told themselves why they can't work. ``anybody``:
        whether some worker is there.
        """
        fruitless = [job.id for job in ended if self._was_fruitless(job)]
        self.fruitless += fruitless
        hope = not self.useless and (anybody or bool(self.worked))
        lost = set(refused) if hope else {*refused, *fruitless}
        chosen = [job for job in ended if job.id not in lost and self._may(job)]
        self._replaced.update(job.id for job in chosen)
        return [job.id for job in chosen]

    def in_advance(
        self, members: Iterable[Member], work_left_s: float | None
    ) -> list[str]:
        """Return jobs whose time is nearly over while there still is work for them."""
        due = [
            member.job
            for member in members
            if member.job in self.worked
            and member.job not in self._replaced | self._at_end
            and member.left_s is not None
            and member.left_s < self._lead_s(member.job)
            and (work_left_s is None or work_left_s > member.left_s)
        ]
        self._replaced.update(due)
        return due

    def not_yet(self, jobs: Iterable[str]) -> None:
        """Take note that these can only be replaced at their end."""
        self._replaced.difference_update(jobs)
        self._at_end.update(jobs)

    def _lead_s(self, job: str) -> float:
        lead_s = LEAVING_S + STARTS * self.start_s
        return min(lead_s, PART * self._given_s[job])

    def _was_fruitless(self, job: Job) -> bool:
        return job.id not in self.worked and job.native not in (*MEANT, *EXCUSED)

    def _may(self, job: Job) -> bool:
        # One step of `srun` is all workers at once, and its own array.
        if job.native in MEANT or job.id in self._replaced or job.id == job.array:
            return False
        if job.native not in EXCUSED or job.id in self.worked:
            return True
        self._excused += 1
        return self._excused <= EXCUSES * self.wanted
