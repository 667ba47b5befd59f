"""A catalogue opened for reading, wherever it is."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from trap_hpc.catalogue import own_tables, schema
from trap_hpc.catalogue.address import is_database_url, redacted
from trap_hpc.catalogue.database import plain_errors, postgresql_engine, sqlite_engine
from trap_hpc.catalogue.names import CATALOGUE_NAME
from trap_hpc.catalogue.tables import check_revision
from trap_hpc.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """One data set of a database."""

    place: str
    """For messages."""
    connection: sa.Connection
    dataset: int
    finished: bool

    def close(self) -> None:
        """Let go of the database."""
        self.connection.close()


def opened(run: str | Path) -> Opened:
    """Open a run directory, a catalogue file or ``postgresql://host/db[#dataset]``.

    Without ``#dataset`` the latest one is taken.

    Raises
    ------
    UsageError
        If there is no catalogue, or no such data set in it.
    CatalogueError
        If it can't be read.
    """
    place = str(run)
    if is_database_url(place):
        url, _, dataset = place.partition("#")
        engine = postgresql_engine(url)
    else:
        engine, dataset = sqlite_engine(_file(Path(run))), ""
    with plain_errors(place), ExitStack() as stack:
        connection = stack.enter_context(engine.connect())
        check_revision(connection, place)
        found = _dataset(connection, redacted(place), dataset)
        stack.pop_all()  # it stays open
        return found


def _file(path: Path) -> Path:
    file = path / CATALOGUE_NAME if path.is_dir() else path
    if not file.is_file():
        raise UsageError(
            f"{path} has no {CATALOGUE_NAME}; name a run's directory or its catalogue"
        )
    return file


def _dataset(connection: sa.Connection, place: str, wanted: str) -> Opened:
    dataset = schema.DATASET.c.id
    names = set(sa.inspect(connection).get_table_names())
    if schema.DATASET.name not in names:
        raise UsageError(f"{place} holds no catalogue")
    known = list(connection.execute(sa.select(dataset).order_by(dataset)).scalars())
    chosen = int(wanted) if wanted.isdecimal() else known[-1] if known else None
    if chosen not in known or (wanted and not wanted.isdecimal()):
        raise UsageError(
            f"{place} has no data set {wanted or 'at all'}; "
            f"known: {', '.join(map(str, known)) or 'none'}"
        )
    finished = True  # what TraP itself wrote has no information of ours
    if own_tables.INFO.name in names:
        info = own_tables.INFO.c
        query = sa.select(info.finished).where(info.dataset == chosen)
        finished = bool(connection.execute(query).scalar_one_or_none() in (True, None))
    return Opened(
        place=place, connection=connection, dataset=int(chosen or 0), finished=finished
    )
