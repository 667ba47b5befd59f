"""Jobs that are processes of ours: how they ended, in the words of Slurm."""

from __future__ import annotations

from trap_hpc.schedulers.base import Job, State
from trap_hpc.shell import how_ended


def ended_job(job: str, name: str, code: int, *, cancelled: bool, node: str) -> Job:
    """Return a job whose process ended with ``code``; ``cancelled``: it was told to."""
    native = "COMPLETED" if code == 0 else "CANCELLED" if cancelled else "FAILED"
    reason = "" if code == 0 else how_ended(code)
    return Job(
        id=job, name=name, state=State.ENDED, native=native, reason=reason, node=node
    )


def explain_child(job: Job) -> str:
    """Say in a sentence where ``job`` is, or how it ended."""
    if job.state.left:
        return f"job {job.id} is {job.state.value} on {job.node}"
    if job.native == "COMPLETED":
        return f"job {job.id} ended well"
    if job.native == "CANCELLED":
        return f"job {job.id} was cancelled"
    return f"job {job.id} {job.reason}; its log says more"
