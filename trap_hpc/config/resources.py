"""Files that come with the package but are no code: site profiles and job scripts."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import trap_hpc
from trap_hpc.errors import RunError


def resource(folder: str) -> Traversable:
    """Return the folder ``configs`` or ``slurm``, wherever the package lies.

    A wheel and a run's snapshot hold it within the package, a checkout (and an
    installation that points to one) beside it.

    Raises
    ------
    RunError
        This installation lacks it.
    """
    within = files(trap_hpc) / "data" / folder
    beside = Path(trap_hpc.__file__).parent.parent / folder
    for place in (within, beside):
        if place.is_dir():
            return place
    raise RunError(
        f"this installation of trap_hpc is not whole: neither {within} nor {beside} "
        "is there; install it again"
    )
