"""The environment that a worker makes for itself and its processes."""

from __future__ import annotations

import os
import sys

from trap_hpc.config.environment import cap_threads

_READY = "TRAP_HPC_WORKER"
_RESTARTED = "TRAP_HPC_WORKER_AGAIN"


def prepare_environment() -> None:
    """Set it, and begin again with it: memory allocation looks at the very start.

    Celery would take a broker from variables of the user's.
    """
    if os.environ.get(_READY) == str(os.getpid()):
        return
    for name in [name for name in os.environ if name.startswith("CELERY_")]:
        del os.environ[name]
    cap_threads()
    os.environ[_READY] = str(os.getpid())
    os.execv(sys.executable, sys.orig_argv)


def note_restart() -> None:
    """Let the process that takes our place know that it is not the first."""
    os.environ[_RESTARTED] = str(os.getpid())


def restarted() -> bool:
    """Whether this worker was there already."""
    return os.environ.get(_RESTARTED) == str(os.getpid())
