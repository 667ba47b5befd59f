"""The scheduler that a site's profile names."""

from __future__ import annotations

import time
from functools import partial

from trap_hpc.config.job_environment import (
    client_environment,
    job_environment,
    which_slurm,
)
from trap_hpc.config.site import Site
from trap_hpc.schedulers.base import Scheduler
from trap_hpc.schedulers.caller import Caller
from trap_hpc.schedulers.client import BatchScheduler
from trap_hpc.schedulers.local import LocalScheduler
from trap_hpc.schedulers.slurm import Slurm
from trap_hpc.schedulers.srun import SrunScheduler


def make_scheduler(site: Site) -> Scheduler:
    """Return the scheduler of ``site``. Nothing is asked yet."""
    if site.scheduler == "local":
        environment = partial(job_environment, site.environment)
        return LocalScheduler(environment, clock=time.monotonic)
    caller = Caller(
        unreachable=Slurm().unreachable,
        environment=client_environment,
        timeout_s=site.submit_timeout_s,
        clock=time.monotonic,
        sleep=time.sleep,
    )
    if site.scheduler == "srun":
        return SrunScheduler(caller, partial(_for_submission, site))
    return BatchScheduler(
        Slurm(),
        caller,
        job_environment=partial(_for_submission, site),
        max_array_size=site.max_array_size,
    )


def _for_submission(site: Site) -> dict[str, str]:
    return job_environment(site.environment) | which_slurm()
