"""A run for people who prefer Python: its catalogue as astropy tables."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from astropy.table import Table


class Run:
    """A finished (or growing) catalogue, opened for reading."""

    def candidates(
        self, min_v: float | None = None, min_eta: float | None = None
    ) -> Table:
        """Transient candidates, likely transients first, then by peak S/N.

        ``min_v`` and ``min_eta`` add variable sources that are not new.
        """
        raise NotImplementedError

    def sources(self) -> Table:
        """The running catalogue with each source's V, eta and averages."""
        raise NotImplementedError

    def light_curve(self, source_id: int) -> Table:
        """All points of one source in time order.

        Raises
        ------
        UsageError
            If there is no such source.
        """
        raise NotImplementedError

    def images(self) -> Table:
        """The images, rejected ones with their reasons."""
        raise NotImplementedError

    def refusals(self) -> Table:
        """The images that could not be used: address, kind and reason."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of the database."""
        raise NotImplementedError

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_run(run: str | Path) -> Run:
    """Open a run directory, a catalogue file or ``postgresql://host/db[#dataset]``."""
    raise NotImplementedError
