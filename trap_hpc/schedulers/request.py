"""How many jobs of which size a session asks for."""

from __future__ import annotations

from trap_hpc.config.environment import cores
from trap_hpc.config.site import Site
from trap_hpc.errors import UsageError
from trap_hpc.paths import RunPaths
from trap_hpc.schedulers.base import JobRequest
from trap_hpc.schedulers.srun import allocation


def cores_of_a_job(site: Site) -> int:
    """Return how many cores a job has, and so workers."""
    if site.scheduler == "srun":
        # The profile may speak of larger nodes, whose jobs are not those we are in.
        given = allocation().cores
        return min(site.cores or given, given)
    return site.cores or (cores() if site.scheduler == "local" else 1)


def default_workers(site: Site) -> int:
    """Return how many workers are wanted if the user names no number."""
    if site.scheduler == "srun":
        return allocation().nodes * cores_of_a_job(site)
    return site.workers or cores_of_a_job(site)


def job_request(
    site: Site, *, run_id: str, epoch: int, paths: RunPaths, workers: int
) -> JobRequest:
    """Ask for ``workers`` worker processes: as few jobs as hold them.

    Raises
    ------
    UsageError
        The site does not allow so many jobs.
    SchedulerError
        The site's scheduler is ``srun``, and we are in no allocation.
    """
    each = min(cores_of_a_job(site), workers)
    count = -(-workers // each)
    if site.max_jobs and count > site.max_jobs:
        raise UsageError(
            f"{workers} workers are {count} jobs of {each} cores, and {site.name} "
            f"allows {site.max_jobs} jobs a user (max_jobs); ask for fewer --workers, "
            "or for more --cores a job"
        )
    return JobRequest(
        run_id=run_id,
        epoch=epoch,
        script=paths.job_script,
        log=paths.logs,
        count=count,
        cores=each,
        memory=site.memory,
        walltime=site.walltime,
        queue=site.queue,
        account=site.account,
        extra_directives=site.job_extra_directives,
        directives_skip=site.job_directives_skip,
    )
