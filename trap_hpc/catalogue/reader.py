"""A run for people who prefer Python: its catalogue as astropy tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from astropy.table import Table

from trap_hpc.catalogue import queries
from trap_hpc.catalogue.astropy_tables import as_table, as_tables
from trap_hpc.catalogue.closing import Closing
from trap_hpc.catalogue.database import plain_errors
from trap_hpc.catalogue.opened import Opened, opened
from trap_hpc.errors import UsageError


class Run(Closing):
    """A catalogue opened for reading. Use it as a context manager, or `close` it.

    Tables have TraP's column names, units, and one row a thing; times are UTC.
    """

    def __init__(self, catalogue: Opened) -> None:
        self._catalogue = catalogue

    @property
    def finished(self) -> bool:
        """Whether the last image is in; before that there are no sources yet."""
        return self._catalogue.finished

    def candidates(
        self, min_v: float | None = None, min_eta: float | None = None
    ) -> Table:
        """Return transient candidates, likely transients first, then by peak S/N.

        A candidate is a source that was seen first though an earlier image was deep
        enough to show it. ``min_v`` and ``min_eta`` add sources that vary at least so
        much (both, where both are given).

        Columns: runcat, ra, decl, type (in words), newsource_type, peak_snr (largest
        det_sigma of a detection, NaN without any), v_int, eta_int, images (points of
        the light curve), detections (those not forced), first_seen.
        """
        return self._table(queries.candidates(self._dataset(), min_v, min_eta))

    def sources(self) -> Table:
        """Return the running catalogue, with V, eta and averages, by runcat."""
        return self._table(queries.sources(self._dataset()))

    def light_curve(self, source_id: int) -> Table:
        """Return all points of one source in time order.

        Raises
        ------
        UsageError
            If there is no such source.
        """
        # A table's own numbers are numpy's, which databases don't take for numbers.
        table = self._table(queries.light_curves(self._dataset(), int(source_id)))
        if not len(table):
            raise UsageError(
                f"{self._catalogue.place} has no source {source_id}; `trap-hpc "
                "candidates RUN --min-v 0` and `trap-hpc export` list all there are"
            )
        return table

    def light_curves(self) -> Table:
        """Return the points of all sources, by runcat and time: it may be large."""
        return self._table(queries.light_curves(self._dataset(), None))

    def images(self) -> Table:
        """Return the images by time, rejected ones with their reasons."""
        return self._table(queries.images(self._catalogue.dataset))

    def refusals(self) -> Table:
        """Return the images that could not be used: address, kind and reason."""
        return self._table(queries.refusals(self._catalogue.dataset))

    def parts(self, name: str) -> Iterator[Table]:
        """Yield a table by its name, some ten thousand rows at a time: one at least."""
        query = {
            "candidates": lambda: queries.candidates(self._dataset(), None, None),
            "sources": lambda: queries.sources(self._dataset()),
            "light_curves": lambda: queries.light_curves(self._dataset(), None),
            "images": lambda: queries.images(self._catalogue.dataset),
            "refusals": lambda: queries.refusals(self._catalogue.dataset),
        }[name]()
        with plain_errors(self._catalogue.place):
            yield from as_tables(self._catalogue.connection, query)

    def close(self) -> None:
        """Let go of the database."""
        self._catalogue.close()

    def _dataset(self) -> int:
        if not self.finished:
            raise UsageError(
                f"{self._catalogue.place} is not finished: its sources are not known "
                "yet. `trap-hpc resume` finishes it"
            )
        return self._catalogue.dataset

    def _table(self, query: sa.Select[Any]) -> Table:
        with plain_errors(self._catalogue.place):
            return as_table(self._catalogue.connection, query)


def open_run(run: str | Path) -> Run:
    """Open a run directory, a catalogue file or ``postgresql://host/db[#dataset]``.

    Raises
    ------
    UsageError
        If there is no catalogue.
    CatalogueError
        If it can't be read.
    """
    return Run(opened(run))
