"""Run the Transients Pipeline over many images, cores and nodes."""

from __future__ import annotations

TYPE_CHECKING = False  # that of `typing` would cost some milliseconds at each start
if TYPE_CHECKING:
    from pathlib import Path

    from trap_hpc.catalogue.reader import Run

__version__ = "0.1.0"
__all__ = ["__version__", "open_run"]


def open_run(run: str | Path) -> Run:
    """Open a run's catalogue: candidates, sources and light curves as astropy tables.

    ``run`` is a run directory, a run's id or the beginning of one, ``last``, a
    ``catalogue.sqlite`` or a ``postgresql://host/database[#dataset]``.
    """
    # Imported here: astropy and SQLAlchemy take a second that --help must not pay.
    from trap_hpc.catalogue.reader import open_run as _open_run
    from trap_hpc.run.registry import find_catalogue

    return _open_run(find_catalogue(str(run)))
