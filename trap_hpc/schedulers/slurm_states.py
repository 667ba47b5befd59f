"""Slurm's words for the state of a job, and what they mean to us."""

from __future__ import annotations

import logging

from trap_hpc.schedulers.base import State

STATES = {
    # squeue(1), "JOB STATE CODES"; those marked (doc) are only in
    # https://slurm.schedmd.com/job_state_codes.html, of newer versions.
    "PENDING": State.PENDING,
    "CONFIGURING": State.PENDING,  # nodes are booting; nothing of ours runs
    "POWER_UP_NODE": State.PENDING,  # (doc) likewise
    "REQUEUED": State.PENDING,  # we ask for --no-requeue, but an operator may do it
    "REQUEUE_FED": State.PENDING,
    "REQUEUE_HOLD": State.PENDING,
    "EXPEDITED_REQUEUE": State.PENDING,  # (doc)
    "EXPEDITING": State.PENDING,  # (doc)
    "RESV_DEL_HOLD": State.PENDING,
    "SPECIAL_EXIT": State.PENDING,  # requeued and held by the site's epilog
    "RUNNING": State.RUNNING,
    "RESIZING": State.RUNNING,
    "SIGNALING": State.RUNNING,
    "STOPPED": State.RUNNING,  # SIGSTOP: its processes are there, and hold cores
    "SUSPENDED": State.RUNNING,  # the same, without the cores
    "COMPLETING": State.ENDING,  # "some processes on some nodes may still be active"
    "STAGE_OUT": State.ENDING,
    "UPDATE_DB": State.ENDED,  # (doc) nothing is missing but a note in a database
    "COMPLETED": State.ENDED,
    "CANCELLED": State.ENDED,
    "FAILED": State.ENDED,
    "TIMEOUT": State.ENDED,
    "OUT_OF_MEMORY": State.ENDED,
    "NODE_FAIL": State.ENDED,
    "BOOT_FAIL": State.ENDED,
    "LAUNCH_FAILED": State.ENDED,  # (doc)
    "RECONFIG_FAIL": State.ENDED,  # (doc)
    "DEADLINE": State.ENDED,
    "PREEMPTED": State.ENDED,
    "REVOKED": State.ENDED,  # its sibling runs on another cluster of a federation
}
_WELL = ("COMPLETED", "CANCELLED")


def word(native: str) -> str:
    """Return ``CANCELLED`` for ``CANCELLED by 1234``, or ``CANCELLED+`` cut short."""
    return (native.split() or [""])[0].rstrip("+")


def state_of(native: str) -> State:
    """Return where the job is; a word that is unknown is of a job that is left."""
    try:
        return STATES[word(native)]
    except KeyError:
        logging.getLogger(__name__).warning(
            "squeue calls a job %r, which is no state that is known here; it is "
            "counted as running",
            native,
        )
        return State.RUNNING


def ended_badly(native: str) -> bool:
    """Whether somebody will ask how it ended."""
    return word(native) not in _WELL
