"""What a session will ask of the scheduler: how many jobs, and the script of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from trap_hpc.config.environment import needs_user_site
from trap_hpc.config.job_environment import job_environment
from trap_hpc.config.site import Site
from trap_hpc.paths import RunPaths
from trap_hpc.run.plan import Plan
from trap_hpc.schedulers.base import JobRequest
from trap_hpc.schedulers.launcher_script import launcher_script
from trap_hpc.schedulers.request import job_request
from trap_hpc.schedulers.script import job_script


@dataclass(frozen=True, slots=True)
class Order:
    """All jobs that a session wants, and what each of them runs."""

    request: JobRequest
    script: str


def launcher_order(plan: Plan, site: Site, words: Sequence[str]) -> Order:
    """Return one job with room for all workers, that runs `trap-hpc` with ``words``.

    Raises
    ------
    UsageError
        The site does not allow it, or its profile can't be used for it.
    """
    workers = order(plan, site, epoch=1).request
    paths = RunPaths(plan.directory.absolute())
    nodes = (f"--nodes={workers.count}", f"--ntasks={workers.count}")
    request = replace(
        workers,
        count=1,
        script=paths.launcher_script,
        # After those of the profile, and after what is asked for a job of workers.
        extra_directives=(
            *workers.extra_directives,
            *nodes,
            "--ntasks-per-node=1",
            "--no-kill",
        ),
    )
    script = launcher_script(
        site,
        words,
        run=paths.directory,
        run_id=plan.run_id,
        code=paths.code,
        environment=job_environment(site.environment),
        user_site=needs_user_site(),
    )
    return Order(request, script)


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
