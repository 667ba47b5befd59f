"""What the surroundings say, and what we tell them: the only user of ``os.environ``."""

from __future__ import annotations

import os
import site
import sys
from pathlib import Path

BEFORE_NUMPY = {
    # One thread a worker: more would fight over the cores, and add numbers up in
    # another order.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "BLIS_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    # HDF5's locks fail on many shared file systems; our files have one writer.
    "HDF5_USE_FILE_LOCKING": "FALSE",
    # glibc gives freed arrays back to the system, which hands them out again page by
    # page: a quarter of the time of large images. It looks when a process starts, so
    # this is for the workers.
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(2**33),
}


def cap_threads() -> None:
    """Give numerical libraries one thread, here and in all child processes.

    They look once, when they are loaded: call it before numpy is imported.
    """
    os.environ.update(BEFORE_NUMPY)


def astropy_offline() -> None:
    """Keep astropy from the network: a worker may have none, and would wait for it."""
    from astropy.utils import data, iers

    iers.conf.auto_download = False
    iers.conf.auto_max_age = None
    data.conf.allow_internet = False


def state_folder() -> Path:
    """Where the user's runs are listed: ``$XDG_STATE_HOME/trap_hpc``."""
    state_home = os.environ.get("XDG_STATE_HOME", "")
    # A relative path there is to be ignored: XDG base directory specification 0.8.
    if not os.path.isabs(state_home):
        return Path.home() / ".local" / "state" / "trap_hpc"
    return Path(state_home) / "trap_hpc"


def config_folders() -> list[Path]:
    """Where the system's and then the user's settings are: ``trap_hpc`` in each.

    The least important first, after the XDG base directory specification.
    """
    system = os.environ.get("XDG_CONFIG_DIRS") or "/etc/xdg"
    user = os.environ.get("XDG_CONFIG_HOME", "")
    if not os.path.isabs(user):
        user = str(Path.home() / ".config")
    places = [*reversed(system.split(":")), user]
    return [Path(place) / "trap_hpc" for place in places if os.path.isabs(place)]


def variables(prefix: str) -> dict[str, str]:
    """Return all variables that begin with ``prefix``, by the rest of their names."""
    return {
        name.removeprefix(prefix): value
        for name, value in sorted(os.environ.items())
        if name.startswith(prefix)
    }


def cores() -> int:
    """How many cores this process may use: its affinity, where the system tells."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


# Packages of ours that a user may have installed for themselves alone.
_PERHAPS_THE_USERS = ("astropy", "celery", "click", "h5py", "numpy", "scipy", "yaml")


def code_environment(code: Path) -> dict[str, str]:
    """Return the variables with which Python runs the snapshot ``code``.

    What is in the current folder, what is edited later, and bytecode that somebody
    else writes play no part then.
    """
    ours = str(Path(os.path.abspath(code)))
    before = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    others = [os.path.abspath(entry) for entry in before if entry]
    path = [ours, *(entry for entry in others if entry != ours)]
    made = {
        "PYTHONPATH": os.pathsep.join(path),
        "PYTHONSAFEPATH": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return made if needs_user_site() else made | {"PYTHONNOUSERSITE": "1"}


def launcher_environment(code: Path) -> dict[str, str]:
    """Return all our variables, changed so that Python runs the snapshot ``code``."""
    return {**os.environ, **code_environment(code)}


def needs_user_site() -> bool:
    """Whether packages that we need lie in the folder for this user's own packages."""
    folder = site.getusersitepackages()
    return folder in sys.path and any(
        (Path(folder) / name).exists() for name in _PERHAPS_THE_USERS
    )
