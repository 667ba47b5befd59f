"""What the commands share that read a finished run."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trap_hpc.catalogue.reader import Run


def opened(run: str) -> Run:
    """Open the catalogue that ``run`` names, by any of its names.

    Raises
    ------
    UsageError
        There is no such run, or it has no catalogue.
    """
    return _open(resolved(run))


def resolved(run: str) -> str:
    """Return the path or URL of the catalogue that ``run`` names."""
    from trap_hpc.run.registry import find_catalogue

    return find_catalogue(run)


def _open(place: str) -> Run:
    from trap_hpc import open_run

    return open_run(place)
