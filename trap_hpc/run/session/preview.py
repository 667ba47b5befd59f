"""What a run on a site would ask for; nothing is written or submitted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trap_hpc.errors import RunError
from trap_hpc.run.plan import Plan
from trap_hpc.run.session.launcher_job import IN_A_JOB, INSIDE
from trap_hpc.run.session.order import launcher_order, order
from trap_hpc.schedulers.base import JobRequest, Scheduler
from trap_hpc.schedulers.known import make_scheduler


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The jobs of a run."""

    jobs: int
    cores: int
    """Of each job, and so workers in it."""
    script: str
    commands: Sequence[Sequence[str]]
    """That would submit it."""
    answer: str
    """What the scheduler says of it."""
    accepted: bool
    """Whether it would take the jobs."""


def preview(plan: Plan) -> Preview:
    """Ask the scheduler of the plan's site what it would do with the first session.

    Raises
    ------
    UsageError
        The site does not allow it, or its profile can't be used for it.
    RunError
        The commands can't be written: we should be in a job, and are not.
    """
    assert plan.site is not None
    site = plan.site.site
    workers = order(plan, site, epoch=1)
    submitted = workers
    if site.launcher == IN_A_JOB:
        submitted = launcher_order(plan, site, ["resume", INSIDE, str(plan.directory)])
    scheduler = make_scheduler(site)
    accepted, answer = _asked(scheduler, submitted.request)
    return Preview(
        jobs=workers.request.count,
        cores=workers.request.cores,
        script=submitted.script,
        commands=scheduler.submit_commands(submitted.request),
        answer=answer,
        accepted=accepted,
    )


def _asked(scheduler: Scheduler, request: JobRequest) -> tuple[bool, str]:
    try:
        return True, scheduler.rehearse(request)
    except RunError as error:
        return False, str(error)
