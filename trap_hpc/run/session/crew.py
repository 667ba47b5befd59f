"""The jobs of a session and the workers in them: who is there, who is missing, why."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from trap_hpc.engines.base import Member
from trap_hpc.errors import RunError
from trap_hpc.run.progress import JobGroup, Staff
from trap_hpc.run.session import words
from trap_hpc.run.session.events import Post, Say
from trap_hpc.run.session.heart import Heart
from trap_hpc.run.session.jobwatch import JobWatch, kind_of
from trap_hpc.run.session.lookout import Lookout
from trap_hpc.run.session.substitutes import Substitutes
from trap_hpc.schedulers.base import Job, JobRequest, Scheduler

FAILED_KEPT = 20


class Crew:
    """Submits jobs, and knows who of them is there."""

    def __init__(
        self,
        *,
        scheduler: Scheduler,
        request: JobRequest,
        note: Callable[[Sequence[str], int], None],
        watch: JobWatch,
        lookout: Lookout,
        heart: Heart,
        post: Post,
        clock: Callable[[], float],
    ) -> None:
        """``request``: all that are wanted; ``note`` keeps ids and their number."""
        self._scheduler = scheduler
        self._request = request
        self._note = note
        self._watch = watch
        self._lookout = lookout
        self._heart = heart
        self._post = post
        self._clock = clock
        self._wanted = request.count * request.cores
        self._submitted = 0
        self._submitted_s = clock()
        self._substitutes = Substitutes(wanted=request.count)
        self._useless_told = False
        self._in: Sequence[Member] = ()
        self._all_in = self._any_came = False
        self._staff = Staff(workers=0, wanted=0, jobs="", groups=(), refusals=())

    def submit(self) -> None:
        """Submit the first jobs.

        Raises
        ------
        SchedulerError
            The scheduler refuses them or can't be asked.
        """
        self._submit(self._request.count, "")
        self._submitted_s = self._clock()

    def count(self, members: Sequence[Member]) -> None:
        """Take note of the workers that are there now."""
        before = len(self._in)
        self._in = members
        if members and not self._any_came:
            self._tell_first(members[0])
        self._substitutes.see(members)
        slots = sum(member.slots for member in members)
        if slots >= self._wanted and not self._all_in:
            self._tell_all(slots)
        missing = slots < self._wanted
        if missing and len(members) < before:
            self._lookout.eager()
            self._lookout.alarm()
        self._heart.missing = self._watch.missing = self._lookout.missing = missing
        self._staff = self._present()

    def replace(self, ended: Collection[str]) -> None:
        """Submit jobs in the place of some that ended before the work did."""
        self._lookout.call_the_roll()
        jobs = [job for job in self._watch.jobs if job.id in ended]
        chosen = self._substitutes.after_end(
            jobs, self._lookout.jobs_failed, anybody=bool(self._in)
        )
        self._submit_others(chosen, "")
        if self._substitutes.useless and not self._useless_told:
            self._useless_told = True
            self._post(Say(f"{self._fruitless()}: no others are submitted"))

    def relieve(self, work_left_s: float | None) -> None:
        """Submit jobs in the place of those whose time is nearly over.

        ``work_left_s``: how long the work will take, if anybody knows.
        """
        due = self._substitutes.in_advance(self._in, work_left_s)
        if not self._submit_others(due, ", whose time is nearly over"):
            self._substitutes.not_yet(due)

    def _submit_others(self, places: Sequence[str], why: str) -> bool:
        """Submit a job for each of ``places``; say whether that went well."""
        if not places:
            return True
        in_place = f" in the place of {words.ids_text(places)}{why}"
        try:
            self._submit(len(places), in_place)
        except RunError as error:
            self._post(Say(f"can't submit others in their place: {error}"))
            return False
        return True

    def _fruitless(self) -> str:
        jobs = self._substitutes.fruitless
        number = words.count(len(jobs), "job")
        return f"{number} ended before they had done anything ({words.ids_text(jobs)})"

    def gave_up(self, jobs: Collection[str]) -> None:
        """Remember that these had a worker, and ask soon whether they have ended."""
        self._in = [member for member in self._in if member.job not in jobs]
        self._lookout.alarm()

    def hopeless(self) -> str:
        """Say why no worker is there and none will come; empty: there is hope."""
        reasons = [*self._lookout.reasons(), *self._watch.endings]
        told = "; ".join(reasons) or "nobody knows why"
        if self._all_ended:
            all_jobs = "the only job" if self._submitted == 1 else "all jobs"
            return f"no worker is left, for {all_jobs} ended: {told}"
        if self._substitutes.useless:
            return f"no worker is there, and {self._fruitless()}: {told}"
        return ""

    @property
    def _all_ended(self) -> bool:
        failed = self._lookout.failed  # whose jobs end, if they have not yet
        over = self._watch.ended.union(call.job for call in failed)
        number = max(len(over), len(failed))  # with `srun` all are of one job
        return number >= self._submitted or self._watch.none_left

    def staff(self) -> Staff:
        """Return who works."""
        return self._staff

    def _submit(self, jobs: int, why: str) -> None:
        ids = self._scheduler.submit(replace(self._request, count=jobs))
        self._submitted += jobs
        self._note(ids, self._submitted)
        self._watch.submitted(ids)
        self._lookout.eager()
        number = words.count(jobs, "job")
        name = self._scheduler.name
        self._post(Say(f"{number} submitted to {name}{why}: {words.some(ids)}"))

    def _tell_first(self, member: Member) -> None:
        self._any_came = True
        after_s = self._clock() - self._submitted_s
        self._substitutes.start_s = after_s
        self._post(
            Say(
                f"first worker in after {after_s:.1f} s, on {member.node} by address "
                f"{member.address}"
            )
        )

    def _tell_all(self, slots: int) -> None:
        self._all_in = True
        nodes = words.count(len({member.node for member in self._in}), "node")
        after_s = self._clock() - self._submitted_s
        all_of_them = words.count(slots, "worker")
        self._post(Say(f"{all_of_them} in after {after_s:.1f} s, on {nodes}"))

    def _present(self) -> Staff:
        jobs = self._watch.jobs
        told = words.states_text(jobs) if jobs else words.count(self._submitted, "job")
        return Staff(
            workers=sum(member.slots for member in self._in),
            wanted=self._wanted,
            jobs=told,
            groups=tuple(self._group(kind) for kind in words.groups(jobs, kind_of)),
            refusals=tuple(self._lookout.reasons()),
            failed=self.failed(),
        )

    def failed(self) -> tuple[str, ...]:
        """Return the jobs whose logs may say why."""
        told = [call.job for call in self._lookout.failed]
        return tuple(dict.fromkeys([*told, *self._watch.failed]))[:FAILED_KEPT]

    def _group(self, jobs: Sequence[Job]) -> JobGroup:
        return JobGroup(
            state=jobs[0].state.value,
            jobs=len(jobs),
            ids=words.ids_text(job.id for job in jobs),
            nodes=words.some(job.node for job in jobs if job.node),
            reason=words.reason(jobs[0]),
            explanation=self._watch.explanations.get(kind_of(jobs[0]), ""),
        )
