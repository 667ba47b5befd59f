"""What the commands share that read a finished run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trap_hpc.errors import UsageError

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
    from pathlib import Path

    from trap_hpc.run.paths import find_run

    if "://" in run or Path(run).is_file():
        return run
    if (Path(run) / "catalogue.sqlite").exists():
        return run
    directory = find_run(run)
    if not (directory / "catalogue.sqlite").exists():
        raise UsageError(
            f"{directory} has no catalogue yet; `trap-hpc resume {run}` makes it"
        )
    return str(directory)


def _open(place: str) -> Run:
    from trap_hpc import open_run

    return open_run(place)
