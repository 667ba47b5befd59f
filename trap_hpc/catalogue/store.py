"""The one writer of a run's catalogue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from trap_hpc.catalogue import own_tables, rows, schema
from trap_hpc.catalogue.away import once_it_answers
from trap_hpc.catalogue.beginning import begin, remove, thresholds
from trap_hpc.catalogue.closing import Closing
from trap_hpc.catalogue.database import plain_errors, sqlite_engine
from trap_hpc.catalogue.finish import write_final
from trap_hpc.catalogue.lightcurves import write_light_curves
from trap_hpc.catalogue.names import LIGHT_CURVES_NAME
from trap_hpc.catalogue.publish import check_database, publish
from trap_hpc.catalogue.replay import Place, Replay
from trap_hpc.catalogue.tables import check_revision
from trap_hpc.config.parameters import JobParameters
from trap_hpc.errors import CatalogueError, StorageError
from trap_hpc.pipeline.records import FinalTables, Refusal, StepRows

_INSERT_IMAGE = rows.insert(schema.IMAGE, rows.IMAGE_COLUMNS)
_INSERT_EXTRA = rows.insert(own_tables.IMAGE_EXTRA, rows.IMAGE_EXTRA_COLUMNS)
_INSERT_REJECTION = rows.insert(schema.REJECTION, rows.REJECTION_COLUMNS)
_INSERT_EXTRACTED = rows.insert(schema.EXTRACTEDSOURCE, rows.EXTRACTED_COLUMNS)
_INSERT_ASSOCIATION = rows.insert(schema.ASSOCXTRSOURCE, rows.ASSOCIATION_COLUMNS)
_INSERT_REFUSAL = rows.insert(own_tables.REFUSAL, ("dataset", "url", "kind", "reason"))
_FORGET_REFUSAL = "DELETE FROM trap_hpc_refusal WHERE url = ?"


class Catalogue(Closing):
    """A run's catalogue while it is being written: ``catalogue.sqlite``.

    A run always writes to SQLite in its own directory, whatever happens to a
    network meanwhile. With ``publish_to``, `publish` copies the finished catalogue to
    that PostgreSQL database as one more data set, in one transaction.

    Use `create` or `open`, and the catalogue as a context manager.
    """

    def __init__(
        self, path: Path, connection: sa.Connection, publish_to: str | None
    ) -> None:
        self._path = path
        self._connection = connection
        self._publish_to = publish_to
        self._thresholds = thresholds(connection)
        info = connection.execute(sa.select(own_tables.INFO)).one()
        connection.rollback()
        self.finished: bool = info.finished
        self.steps_done: int = info.steps_done
        """Time steps that are in for good: a replay may start with them."""
        place = Place(info.last_taustart_us, info.last_xtrsrc)
        self._replay = Replay(info.steps_done, place)

    @classmethod
    def create(
        cls,
        path: Path,
        *,
        parameters: JobParameters,
        run_id: str,
        publish_to: str | None = None,
        replace: bool = False,
        clock: Callable[[], datetime] = rows.utc_now,
    ) -> Catalogue:
        """Make a new catalogue file.

        Parameters
        ----------
        path
            The file to make, ``RUN/catalogue.sqlite``.
        publish_to
            URL of a PostgreSQL database, asked at once whether it can be used.
        replace
            Throw away what is there (a run done again with images that had been
            refused).

        Raises
        ------
        StorageError
            If the file is there already or can't be written.
        CatalogueError
            If the database can't be reached or is no TraP database of revision 40.
        """
        if publish_to is not None:
            check_database(publish_to)
        with plain_errors(path):
            if replace:
                remove(path)
            elif path.exists():
                raise StorageError(f"{path} exists already; name another folder")
            begin(path, parameters, run_id, clock())
        return cls.open(path, publish_to=publish_to)

    @classmethod
    def open(cls, path: Path, *, publish_to: str | None = None) -> Catalogue:
        """Go on with a catalogue that a killed run left, from its last checkpoint.

        Raises
        ------
        StorageError
            If the file isn't there or can't be written.
        CatalogueError
            If it is no catalogue of this program.
        """
        with plain_errors(path), ExitStack() as stack:
            connection = stack.enter_context(sqlite_engine(path).connect())
            check_revision(connection, str(path))
            if not sa.inspect(connection).has_table(own_tables.INFO.name):
                raise CatalogueError(f"{path} is not a catalogue of trap-hpc")
            catalogue = cls(path, connection, publish_to)
            stack.pop_all()  # it stays open
            return catalogue

    @property
    def complete(self) -> bool:
        """Nothing is missing, the file of light curves included."""
        return self.finished and self._light_curves.exists()

    @property
    def _light_curves(self) -> Path:
        return self._path.with_name(LIGHT_CURVES_NAME)

    def add_step(self, step: StepRows) -> None:
        """Add a time step. A replayed step that is in already is skipped.

        Raises
        ------
        CatalogueError
            If the steps that are in are not this run's, or the catalogue is finished.
        """
        if self._replay.come_by(step):
            self._refuse_if_finished()
            with plain_errors(self._path):
                self._insert(step)
        elif self._replay.astray:
            raise self._other_steps()

    def end_replay(self) -> None:
        """Raise CatalogueError unless all steps that are in came by again."""
        if not self._replay.over:
            raise self._other_steps()

    def checkpoint(self) -> None:
        """Make sure of everything added so far: one transaction."""
        done, place = self._replay.steps_done, self._replay.place
        with plain_errors(self._path):
            self._connection.execute(
                own_tables.INFO.update(),
                {
                    "steps_done": done,
                    "last_taustart_us": place.taustart_us,
                    "last_xtrsrc": place.xtrsrc,
                },
            )
            self._connection.commit()
        self.steps_done = done

    def add_refusals(self, refusals: Sequence[Refusal]) -> None:
        """Say which images could not be used; the same one twice counts once."""
        said = [(rows.DATASET_ID, r.address, r.kind, r.reason) for r in refusals]
        with plain_errors(self._path):
            self._many(_FORGET_REFUSAL, [(r.address,) for r in refusals])
            self._many(_INSERT_REFUSAL, said)

    def finish(
        self, final: FinalTables, *, clock: Callable[[], datetime] = rows.utc_now
    ) -> None:
        """Write what the last image settles, indexes, ``lightcurves.h5`` beside it.

        One transaction: after a crash call it again. On a finished catalogue it does
        only what is still missing (the light curves' file).
        """
        if not self.finished:
            self.checkpoint()
        with plain_errors(self._path):
            if not self.finished:
                write_final(self._connection, final, self._light_curves, clock())
                self._connection.commit()
                self.finished = True
            elif not self.complete:
                write_light_curves(self._connection, self._light_curves)

    def publish(self, say: Callable[[str], None] = lambda _: None) -> None:
        """Copy the finished catalogue to the database that it is for, if any.

        ``say`` is told if the database is away, and waited for.

        Raises
        ------
        CatalogueError
            If the database can't be used; nothing of the run is in it then.
        """
        url = self._publish_to
        if url is not None:
            once_it_answers(lambda: publish(self._connection, url), url, say=say)

    def close(self) -> None:
        """Leave; what came after the last checkpoint is dropped."""
        with suppress(SQLAlchemyError):  # a full disk must not hide its own error
            self._connection.rollback()
        self._connection.close()

    def _other_steps(self) -> CatalogueError:
        return CatalogueError(
            f"{self._path} was written from other images or parameters: its "
            f"{self.steps_done} time steps are not those of this run. Remove it, and "
            "`trap-hpc resume` writes it anew from all that is measured"
        )

    def _refuse_if_finished(self) -> None:
        if self.finished:
            raise CatalogueError(
                f"{self._path} is finished and takes no more time steps; "
                "start a new run for more images"
            )

    def _insert(self, step: StepRows) -> None:
        images = step.images
        own = [rows.image_tuple(row, self._thresholds) for row in images]
        self._many(_INSERT_IMAGE, own)
        self._many(_INSERT_EXTRA, [rows.image_extra_tuple(row) for row in images])
        self._many(_INSERT_REJECTION, rows.rejection_tuples(images))
        self._many(_INSERT_EXTRACTED, rows.extracted_tuples(step))
        self._many(_INSERT_ASSOCIATION, rows.association_tuples(step))

    def _many(self, statement: str, tuples: rows.Tuples) -> None:
        if tuples:
            self._connection.exec_driver_sql(statement, tuples)
