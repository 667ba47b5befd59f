"""What a run on a site would ask for; nothing is written or submitted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trap_hpc.errors import RunError
from trap_hpc.run.plan import Plan
from trap_hpc.run.session.order import order
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
    ordered = order(plan, plan.site.site, epoch=1)
    scheduler = make_scheduler(plan.site.site)
    accepted, answer = _asked(scheduler, ordered.request)
    return Preview(
        jobs=ordered.request.count,
        cores=ordered.request.cores,
        script=ordered.script,
        commands=scheduler.submit_commands(ordered.request),
        answer=answer,
        accepted=accepted,
    )


def _asked(scheduler: Scheduler, request: JobRequest) -> tuple[bool, str]:
    try:
        return True, scheduler.rehearse(request)
    except RunError as error:
        return False, str(error)
