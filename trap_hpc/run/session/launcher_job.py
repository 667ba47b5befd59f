"""The launcher as a batch job, for sites whose login nodes end what runs for long."""

from __future__ import annotations

from collections.abc import Sequence

from trap_hpc.files import write_whole
from trap_hpc.paths import RunPaths
from trap_hpc.run.plan import Plan
from trap_hpc.run.planfile import write_site
from trap_hpc.run.session.order import launcher_order
from trap_hpc.schedulers.known import make_scheduler

IN_A_JOB = "job"
"""A site's `launcher`, if it is a job."""
INSIDE = "--in-allocation"


def submit_launcher(plan: Plan, words: Sequence[str]) -> str:
    """Submit a job that has room for all workers, and in which `resume` is run.

    ``words`` are the command and its options. Returns the job's id.

    Raises
    ------
    UsageError
        The site does not allow it, or its profile can't be used for it.
    SchedulerError
        The scheduler refuses it, or can't be asked.
    StorageError
        The script can't be written.
    """
    assert plan.site is not None
    site = plan.site.site
    command, *options = words
    ordered = launcher_order(plan, site, [command, INSIDE, *options])
    write_site(plan)
    script = RunPaths(plan.directory).launcher_script
    write_whole(script, ordered.script.encode())
    (job,) = make_scheduler(site).submit(ordered.request)
    return job
