"""Asking the scheduler about a session's jobs: seldom, and only as long as it helps.

Whether workers live is heard from themselves. The scheduler is asked for what only it
knows: why jobs wait, and how they ended.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from trap_hpc.engines.deadline import TimeLeft
from trap_hpc.errors import RunError
from trap_hpc.run.session import words
from trap_hpc.run.session.events import Ended, Ends, Post, Say
from trap_hpc.run.session.logs import last_lines, logs_of
from trap_hpc.schedulers.base import Job, Scheduler, State

FIRST_WAIT_S = 2.0
"""While jobs are missing it is asked after 2, 4, 8 ... s, up to the site's pace."""
HURRY_S = 5.0
"""Something looks wrong: ask soon, but not each time. At sites that want to be asked
seldom it is a sixth of their pace."""
WAITS_LONG_S = 5.0
"""A job that has waited for less is not worth a word."""
LOG_LINES = 5
NO_FAILURES = ("COMPLETED", "CANCELLED", "exit code 0")

Kind = tuple[State, str, str]


def kind_of(job: Job) -> Kind:
    """Return what a job shares with all that are where they are for its reason."""
    return job.state, job.native, words.reason(job)


class JobWatch:
    """What the scheduler says of the jobs of one session."""

    def __init__(
        self,
        scheduler: Scheduler,
        run_id: str,
        *,
        logs: Path,
        poll_s: float,
        post: Post,
        clock: Callable[[], float],
    ) -> None:
        self._scheduler = scheduler
        self._run_id = run_id
        self._logs = logs
        self._poll_s = poll_s
        self._post = post
        self._clock = clock
        self._arrays: set[str] = set()
        self._began_s = clock()
        self._asked_s = float("-inf")
        self._due_s = self._began_s + FIRST_WAIT_S
        self._wait_s = FIRST_WAIT_S
        self._silent = False
        self._empty_answers = 0
        self._told: set[str] = set()
        self._ended: set[str] = set()
        self._explained: dict[Kind, str] = {}
        self.jobs: Sequence[Job] = ()
        """As the scheduler last told."""
        self.missing = True
        """Whether workers are still to come."""
        self.excused: Callable[[], Collection[str]] = tuple
        """Jobs that have told themselves why they end."""
        self.endings: list[str] = []
        """How jobs ended, each kind once."""
        self.failed: list[str] = []
        """Jobs that ended without being asked to, and not because they were done."""

    def submitted(self, arrays: Sequence[str]) -> None:
        """From now on these jobs are ours, too."""
        self._arrays.update(arrays)
        self._began_s = self._clock()
        self._due_s = self._began_s + FIRST_WAIT_S
        self._wait_s = FIRST_WAIT_S
        self._empty_answers = 0

    @property
    def ended(self) -> frozenset[str]:
        """Jobs that the scheduler says have ended."""
        return frozenset(self._ended)

    @property
    def none_left(self) -> bool:
        """Whether the scheduler has said twice that none of our jobs is left."""
        return self._empty_answers >= 2

    def hurry(self) -> None:
        """Ask out of turn, if the last answer is not quite new."""
        pause_s = min(max(HURRY_S, self._poll_s / 6), self._poll_s)
        self._due_s = min(self._due_s, max(self._clock(), self._asked_s + pause_s))

    def ask(self) -> float:
        """Ask if it is time to, tell what is new, and return how long to wait."""
        if self._clock() >= self._due_s:
            self._due_s = self._clock() + self._ask()
            self._asked_s = self._clock()
        return max(0.0, self._due_s - self._clock())

    def _ask(self) -> float:
        try:
            found = self._scheduler.jobs([self._run_id])
        except RunError as error:
            self._could_not_ask(error)
        else:
            self._answered([job for job in found if job.array in self._arrays])
        self._wait_s = min(self._wait_s * 2, self._poll_s)
        return self._wait_s if self.missing or self._silent else self._poll_s

    def _could_not_ask(self, error: RunError) -> None:
        """Conclude nothing."""
        if not self._silent:
            self._post(
                Say(f"can't ask {self._scheduler.asked} for now, trying on: {error}")
            )
            self._wait_s = FIRST_WAIT_S
        self._silent = True

    def _answered(self, jobs: Sequence[Job]) -> None:
        if self._silent:
            self._post(Say(f"{self._scheduler.asked} answers again"))
        self._silent = False
        self.jobs = jobs
        left = {job.id for job in jobs if job.state.left}
        self._ended -= left  # those that were put back into the queue
        self._empty_answers = 0 if left else self._empty_answers + 1
        self._tell_ends(jobs)
        self._tell_ended(
            [j for j in jobs if j.state is State.ENDED and j.id not in self._ended]
        )
        if self._clock() - self._began_s >= WAITS_LONG_S:
            self._tell_waiting([job for job in jobs if job.state is State.PENDING])

    def _tell_ends(self, jobs: Sequence[Job]) -> None:
        known = [(j.id, j.left_s) for j in jobs if j.state is State.RUNNING]
        ends = tuple(TimeLeft(id_, left) for id_, left in known if left is not None)
        if ends:
            self._post(Ends(ends))

    @property
    def explanations(self) -> Mapping[Kind, str]:
        """Why jobs wait and how they ended: asked once for each kind."""
        return self._explained

    def _tell_ended(self, jobs: Sequence[Job]) -> None:
        if not jobs:
            return
        self._ended.update(job.id for job in jobs)
        excused = self.excused()
        untold = [job for job in jobs if job.id not in excused]
        for kind in words.groups(untold, kind_of):
            self._post(Say(self._end_of(kind)))
            if kind[0].native not in NO_FAILURES:
                self.failed += [job.id for job in kind]
        self._post(Ended(tuple(job.id for job in jobs)))

    def _end_of(self, jobs: Sequence[Job]) -> str:
        ids = words.ids_text(job.id for job in jobs)
        where = words.on_nodes(job.node for job in jobs)
        ended = f"{words.count(len(jobs), 'job')} ended ({ids}{where})"
        text = f"{ended}: {self._explain(jobs[0])}"
        self.endings = list(dict.fromkeys([*self.endings, self._explain(jobs[0])]))
        for log in logs_of(self._logs, [jobs[0].id])[-1:]:
            text += f"\n  last lines of {log}:"
            text += "".join(f"\n    {line}" for line in last_lines(log, LOG_LINES))
        return text

    def _tell_waiting(self, jobs: Sequence[Job]) -> None:
        for kind in words.groups(jobs, words.reason):
            why = words.reason(kind[0])
            if why and why not in self._told:
                self._post(Say(self._wait_of(kind)))
            self._told.add(why)

    def _wait_of(self, jobs: Sequence[Job]) -> str:
        number = words.count(len(jobs), "job")
        ids = words.ids_text(job.id for job in jobs)
        hopeless = self._scheduler.hopeless(jobs[0])
        waits = "waits" if len(jobs) == 1 else "wait"
        state = "will never start" if hopeless else waits
        text = f"{number} {state} ({ids}): {self._explain(jobs[0])}"
        if hopeless:
            text += f"; Ctrl-C or `trap-hpc stop {self._run_id}` ends the run"
        return text

    def _explain(self, job: Job) -> str:
        kind = kind_of(job)
        if kind not in self._explained:
            self._explained[kind] = words.of_many(job, self._scheduler.explain(job))
        return self._explained[kind]
