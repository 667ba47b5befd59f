"""The launcher as a batch job, for sites whose login nodes end what runs for long."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from trap_hpc.config.site import Site
from trap_hpc.errors import SchedulerError
from trap_hpc.files import write_whole
from trap_hpc.paths import RunPaths
from trap_hpc.run.plan import Plan
from trap_hpc.run.planfile import write_site
from trap_hpc.run.session.order import launcher_order
from trap_hpc.run.session.waiting import (
    WaitingLauncher,
    forget_waiting,
    note_waiting,
    require_none_waiting,
)
from trap_hpc.schedulers.base import Scheduler
from trap_hpc.schedulers.known import make_scheduler

IN_A_JOB = "job"
"""A site's `launcher`, if it is a job."""
INSIDE = "--in-allocation"


def submit_launcher(plan: Plan, words: Sequence[str]) -> str:
    """Submit a job that has room for all workers, and in which `resume` is run.

    Until it begins it is known as the run's waiting launcher.

    ``words`` are the command and its options. Returns the job's id.

    Raises
    ------
    UsageError
        The site does not allow it, or its profile can't be used for it.
    SchedulerError
        The scheduler refuses it, or can't be asked.
    RunError
        There is one already.
    StorageError
        The script can't be written.
    """
    assert plan.site is not None
    require_none_waiting(plan.run_id, plan.directory)
    site = plan.site.site
    command, *options = words
    ordered = launcher_order(plan, site, [command, INSIDE, *options])
    write_site(plan)
    script = RunPaths(plan.directory).launcher_script
    write_whole(script, ordered.script.encode())
    scheduler = make_scheduler(site)
    note_waiting(plan.directory, _waiting(plan.run_id, site, scheduler))
    try:
        (job,) = scheduler.submit(ordered.request)
    except SchedulerError:
        forget_waiting(plan.directory)
        raise
    return job


def _waiting(run_id: str, site: Site, scheduler: Scheduler) -> WaitingLauncher:
    return WaitingLauncher(
        run_id=run_id,
        site=site.name,
        scheduler=site.scheduler,
        cluster=scheduler.cluster(),
        submitted=datetime.now(UTC).isoformat(timespec="seconds"),
    )
