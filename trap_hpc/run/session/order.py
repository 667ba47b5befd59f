"""What a session will ask of the scheduler: how many jobs, and the script of each."""

from __future__ import annotations

from dataclasses import dataclass

from trap_hpc.config.environment import needs_user_site
from trap_hpc.config.job_environment import job_environment
from trap_hpc.config.site import Site
from trap_hpc.paths import RunPaths
from trap_hpc.run.plan import Plan
from trap_hpc.schedulers.base import JobRequest
from trap_hpc.schedulers.request import job_request
from trap_hpc.schedulers.script import job_script


@dataclass(frozen=True, slots=True)
class Order:
    """All jobs that a session wants, and what each of them runs."""

    request: JobRequest
    script: str


def order(plan: Plan, site: Site, epoch: int) -> Order:
    """Return what session ``epoch`` of a run will ask for; nothing is written.

    Raises
    ------
    UsageError
        The site does not allow it, or its profile can't be used for it.
    SchedulerError
        We should be in a job of the scheduler, and are not.
    """
    paths = RunPaths(plan.directory.absolute())
    request = job_request(
        site, run_id=plan.run_id, epoch=epoch, paths=paths, workers=plan.workers
    )
    script = job_script(
        site,
        run=paths.directory,
        epoch=epoch,
        run_id=plan.run_id,
        code=paths.code,
        environment=job_environment(site.environment),
        user_site=needs_user_site(),
    )
    return Order(request, script)
