"""The one writer of a run's catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from trap_hpc.config.parameters import JobParameters
from trap_hpc.pipeline.records import FinalTables, Refusal, StepRows

CATALOGUE_NAME = "catalogue.sqlite"
LIGHT_CURVES_NAME = "lightcurves.h5"


class Catalogue:
    """A run's catalogue while it is being written: ``catalogue.sqlite``.

    A run always writes to SQLite in its own directory, whatever happens to a
    network. With ``publish_to``, `finish` copies the finished catalogue to that
    PostgreSQL database as one more data set, in one transaction.
    """

    steps_done: int
    """Time steps that are in for good: a replay may start with them, or not."""
    finished: bool

    @classmethod
    def create(
        cls,
        path: Path,
        *,
        parameters: JobParameters,
        run_id: str,
        publish_to: str | None = None,
        replace: bool = False,
    ) -> Catalogue:
        """Make a new catalogue file.

        Parameters
        ----------
        path
            The file to make, ``RUN/catalogue.sqlite``.
        publish_to
            URL of a PostgreSQL database, asked at once whether it can be used.
        replace
            Throw away what is there (a run that is done again with images that had
            been refused).

        Raises
        ------
        StorageError
            If the file can't be written.
        CatalogueError
            If the database can't be reached or is no TraP database of revision 40.
        """
        raise NotImplementedError

    @classmethod
    def open(cls, path: Path, *, publish_to: str | None = None) -> Catalogue:
        """Go on with a catalogue that a killed run left, from its last checkpoint."""
        raise NotImplementedError

    def add_step(self, step: StepRows) -> None:
        """Add a time step. A replayed step that is in already is skipped."""
        raise NotImplementedError

    def checkpoint(self) -> None:
        """Make sure of everything added so far: one transaction."""
        raise NotImplementedError

    def add_refusals(self, refusals: Sequence[Refusal]) -> None:
        """Say which images could not be used; the same one twice counts once."""
        raise NotImplementedError

    def finish(self, final: FinalTables) -> None:
        """Write what the last image settles, indexes, ``lightcurves.h5`` beside it.

        One transaction: after a crash call it again. On a finished catalogue it does
        only what is still missing (the light curves' file, publishing).
        """
        raise NotImplementedError

    def close(self) -> None:
        """Leave; what came after the last checkpoint is dropped."""
        raise NotImplementedError

    def __enter__(self) -> Catalogue:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
