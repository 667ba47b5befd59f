"""Where a worker finds itself: what the scheduler and the system say."""

from __future__ import annotations

import os
import socket
import time
from dataclasses import dataclass

from trap_hpc.config.environment import cores

MIB = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A job, as its worker sees it."""

    job: str
    """The scheduler's id: ``12_3`` for an array task, ``12.3`` for a step."""
    node: str
    cores: int
    """That the worker may use."""
    memory_bytes: int
    """That the job was given; 0 if nobody says."""
    left_s: float | None
    """How long the job may still run, if anybody says."""

    @property
    def ends_s(self) -> float | None:
        """When the job will be ended, seconds since 1970 by the node's own clock."""
        return None if self.left_s is None else time.time() + self.left_s


def find_place() -> Place:
    """Look around."""
    return Place(
        job=_job(),
        # Several nodes may share a host, which then has a name of its own.
        node=os.environ.get("SLURMD_NODENAME") or socket.gethostname(),
        cores=_cores(),
        memory_bytes=_memory_bytes(),
        left_s=_left_s(),
    )


def _job() -> str:
    """Return what the job script says, or else what Slurm does."""
    if named := os.environ.get("TRAP_HPC_JOB"):
        return named
    array = os.environ.get("SLURM_ARRAY_JOB_ID")
    if array:
        return f"{array}_{os.environ.get('SLURM_ARRAY_TASK_ID', '0')}"
    job, step = os.environ.get("SLURM_JOB_ID"), os.environ.get("SLURM_STEP_ID")
    if job:
        return f"{job}.{step}" if step else job
    return str(os.getpid())


def _cores() -> int:
    """Count the cores of our affinity, but no more than the job was given.

    Not every site confines a job to its cores.
    """
    given = _number("TRAP_HPC_CORES") or _number("SLURM_CPUS_PER_TASK")
    return min(cores(), given) if given else cores()


def _memory_bytes() -> int:
    node = _number("SLURM_MEM_PER_NODE")
    return (node or _number("SLURM_MEM_PER_CPU") * _cores()) * MIB


def _left_s() -> float | None:
    """Return how long the job may still run.

    What it was given is told by Slurm (since 23.02) or by the site's profile; since
    when it runs, by its script. No clock is compared with that of another host.
    """
    began_s = _number("TRAP_HPC_JOB_BEGAN")
    if not began_s:
        return None  # a step in somebody else's job, whose launcher knows its end
    given_s = _number("SLURM_JOB_END_TIME") - _number("SLURM_JOB_START_TIME")
    given_s = given_s if given_s > 0 else _number("TRAP_HPC_WALLTIME_S")
    return given_s - (time.time() - began_s) if given_s > 0 else None


def _number(name: str) -> int:
    """Return the number in a variable; 0 if there is none."""
    try:
        return int(os.environ.get(name, ""))
    except ValueError:
        return 0
