"""What the tiny job found out, before anybody judges it."""

from __future__ import annotations

from dataclasses import dataclass

from trap_hpc.schedulers.base import Job
from trap_hpc.worker.rollcall import RollCall


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """All that is known after the job. What was not reached is None or empty."""

    site: str
    identity: str
    """Of the launcher's code."""
    python: str
    cores: int
    """That were asked for."""
    memory_bytes: int = 0
    """That were asked for; 0: none were."""
    timeout_s: float
    """How long anybody waited."""
    encrypted: bool = False
    """The broker offers nothing but encrypted connections."""
    broker: str = ""
    """Its program and version."""
    broker_remark: str = ""
    trouble: str = ""
    """What stopped the session, in a sentence."""
    submitted_s: float | None = None
    """From the start of submission to the scheduler's yes."""
    running_s: float | None = None
    """From the scheduler's yes to the job's first sign of life."""
    connected_s: float | None = None
    """From the first sign of life to the first report through the broker."""
    job: Job | None = None
    why: str = ""
    """The scheduler's explanation of a job that waits or has ended."""
    call: RollCall | None = None
    """What the worker said of itself, in the run directory."""
    clock_ahead_s: float | None = None
    """The node's clock, relative to ours."""
    left: int | None = None
    """Jobs left after teardown, by the scheduler's answer."""
    asked: str = ""
