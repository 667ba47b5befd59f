"""A scheduler made of its commands: what all of them have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from trap_hpc.errors import SchedulerError
from trap_hpc.schedulers.base import Commands, Job, JobRequest, Limits
from trap_hpc.schedulers.caller import ACT_S, ASK_S, Caller
from trap_hpc.shell import Answer

CANCELLED_AT_ONCE = 100
"""Ids in one call: a command line that is much longer hits limits of schedulers."""
ARRAY_SIZE = 1000
"""For a plan, if the scheduler can't be asked."""


class BatchScheduler:
    """A `Scheduler` that runs ``commands``."""

    def __init__(
        self,
        commands: Commands,
        caller: Caller,
        *,
        job_environment: Callable[[], Mapping[str, str]],
        max_array_size: int = 0,
    ) -> None:
        """``job_environment`` is all that a submission, and so a job, gets of ours.

        ``max_array_size``: 0 to ask the scheduler.
        """
        self.name = commands.name
        self.asked = commands.asked
        self._commands = commands
        self._caller = caller
        self._job_environment = job_environment
        self._max_array_size = max_array_size

    @cached_property
    def _limits(self) -> Limits:
        return self._commands.parse_limits(self._told(self._commands.limits()))

    def cluster(self) -> str:
        """Name of the cluster that jobs go to."""
        return self._limits.cluster

    def submit(self, request: JobRequest) -> tuple[str, ...]:
        """Submit worker jobs, in as few arrays as the site allows; return their ids."""
        sizes = self._sizes(request.count)
        before = self._arrays(request.run_id)
        ids: list[str] = []
        try:
            for size in sizes:
                ids.append(self._submit(request, size, before.union(ids)))
        except SchedulerError as error:
            left = self._take_back(request.run_id, before)
            raise SchedulerError(f"{error}{left}") from None
        return tuple(ids)

    def _sizes(self, count: int) -> list[int]:
        most = self._max_array_size or self._limits.max_array_size
        if most < 1:
            raise SchedulerError(
                f"{self.cluster()} has no job arrays (MaxArraySize is 0), and "
                "workers are submitted as such; ask the site's support"
            )
        return _sizes(count, most)

    def _submit(self, request: JobRequest, count: int, before: set[str]) -> str:
        """Submit one array. ``before``: arrays of the run that were there already.

        A submission without an answer may have succeeded, or may do so in a moment: its
        name tells. It is not tried again as long as nobody can be asked for that.
        """
        argv = self._commands.submit(request, count)
        problem = ""
        for _ in self._caller.tries(ACT_S):
            if problem:
                new = self._new(request.run_id, before)
                if new is None:
                    continue
                if new:
                    return self._keep(new[0], new)
            unclear = bool(problem)
            answer, problem = self._caller.once(argv, self._job_environment())
            if answer is not None:
                given = self._accepted(answer, request, before)
                late = self._new(request.run_id, before) if unclear else []
                return self._keep(given, late or [])
        if new := self._new(request.run_id, before):
            return self._keep(new[0], new)
        raise SchedulerError(f"no jobs could be submitted: {problem}; try again later")

    def _accepted(self, answer: Answer, request: JobRequest, before: set[str]) -> str:
        """Return the id that a submission was given, or that its name tells."""
        given = self._commands.parse_submit(answer.out)
        if answer.good:
            for array in [given] if given else self._new(request.run_id, before) or []:
                return array
        raise self._refusal(answer, request)

    def _refusal(self, answer: Answer, request: JobRequest) -> SchedulerError:
        said = (answer.err + answer.out).strip()
        nodes = self._printed(self._commands.nodes())
        advice = self._commands.advise(said, request, nodes)
        words = " / ".join(said.splitlines()) or "it said nothing"
        return SchedulerError(f"{answer.argv[0]} refused the jobs: {words}; {advice}")

    def _new(self, run_id: str, before: set[str]) -> list[str] | None:
        """Return the run's arrays that were not there; None if nobody can be asked."""
        try:
            return sorted(self._arrays(run_id) - before)
        except SchedulerError:
            return None

    def _keep(self, array: str, new: Sequence[str]) -> str:
        """Cancel all that came of one submission but ``array``."""
        self.cancel([other for other in new if other != array])
        return array

    def _take_back(self, run_id: str, before: set[str]) -> str:
        """Cancel what was submitted since ``before``; tell the user if that failed."""
        try:
            self.cancel(sorted(self._arrays(run_id) - before))
        except SchedulerError as error:
            return (
                f"; jobs named {run_id} may be left, they can't be cancelled: {error}"
            )
        return ""

    def _arrays(self, run_id: str) -> set[str]:
        return {job.array for job in self.jobs([run_id])}

    def jobs(self, run_ids: Sequence[str]) -> Sequence[Job]:
        """Return all jobs of these runs that the scheduler still knows, in one call."""
        if not run_ids:
            return []
        answer = self._caller.ask(self._commands.jobs(run_ids))
        if not answer.good and not self._commands.unknown(answer.err + answer.out):
            raise SchedulerError(f"the scheduler does not tell of jobs: {answer}")
        wanted = frozenset(run_ids)
        found = self._commands.parse_jobs(answer.out)
        return [job for job in found if job.name in wanted]

    def cancel(self, ids: Sequence[str]) -> None:
        """Cancel jobs or arrays, pending ones too."""
        problems = []
        for batch in _batches(dict.fromkeys(ids), CANCELLED_AT_ONCE):
            answer = self._caller.ask(self._commands.cancel(batch))
            if not answer.good and not self._commands.unknown(answer.err + answer.out):
                problems.append(str(answer))
        if problems:
            raise SchedulerError("; ".join(problems))

    def explain(self, job: Job) -> str:
        """Say in a sentence why a job waits or how it ended, and what to do."""
        return self._commands.explain(job, self._details(job))

    def _details(self, job: Job) -> str:
        """Ask how the job ended: the first command that knows."""
        told = (self._printed(argv) for argv in self._commands.details(job))
        return next((out for out in told if out.strip()), "")

    def _printed(self, argv: Sequence[str]) -> str:
        """Return what ``argv`` prints; nothing if it fails: it may not be there."""
        try:
            answer, _ = self._caller.once(argv)
        except SchedulerError:
            return ""
        return answer.out if answer is not None and answer.good else ""

    def hopeless(self, job: Job) -> bool:
        """Whether a job that waits will never start as it is."""
        return self._commands.hopeless(job)

    def submit_commands(self, request: JobRequest) -> Sequence[Sequence[str]]:
        """Return the commands that `submit` would run."""
        try:
            sizes = self._sizes(request.count)
        except SchedulerError:
            sizes = _sizes(request.count, ARRAY_SIZE)
        return [self._commands.submit(request, size) for size in sizes]

    def rehearse(self, request: JobRequest) -> str:
        """Ask the scheduler what it would do with the request, without submitting."""
        argv = self._commands.rehearse(request, self._sizes(request.count)[0])
        problem = ""
        for _ in self._caller.tries(ASK_S):
            answer, problem = self._caller.once(argv, self._job_environment())
            if answer is not None and answer.good:
                return (answer.err + answer.out).strip()
            if answer is not None:
                raise self._refusal(answer, request)
        raise SchedulerError(
            f"the scheduler can't be asked: {problem}; try again later"
        )

    def _told(self, argv: Sequence[str]) -> str:
        answer = self._caller.ask(argv)
        if not answer.good:
            raise SchedulerError(
                f"the scheduler does not tell of itself: {answer}; is this a login "
                "host of the cluster? Without --site the run is done on this host"
            )
        return answer.out


def _sizes(count: int, most: int) -> list[int]:
    """Cut ``count`` into as few parts as there must be, of ``most`` each."""
    return [min(most, count - begun) for begun in range(0, count, most)]


def _batches(ids: Iterable[str], most: int) -> Iterator[list[str]]:
    listed = list(ids)
    for begin in range(0, len(listed), most):
        yield listed[begin : begin + most]
