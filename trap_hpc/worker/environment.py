"""The environment that a worker makes for itself and its processes."""

from __future__ import annotations

import os
import sys

from trap_hpc.config.environment import BEFORE_NUMPY, cap_threads
from trap_hpc.files import keep_others_out

_RESTARTED = "TRAP_HPC_WORKER_AGAIN"


def prepare_environment() -> None:
    """Set it; if it is not as a job script makes it, begin again with it.

    Memory allocation looks at the very start of a process.
    """
    keep_others_out()
    for name in [name for name in os.environ if name.startswith("CELERY_")]:
        del os.environ[name]  # Celery would take a broker from the user's
    if os.environ.items() >= BEFORE_NUMPY.items():
        return
    cap_threads()
    os.execv(sys.executable, sys.orig_argv)


def note_restart() -> None:
    """Let the process that takes our place know that it is not the first."""
    os.environ[_RESTARTED] = str(os.getpid())


def restarted() -> bool:
    """Whether this worker was there already."""
    return os.environ.get(_RESTARTED) == str(os.getpid())
