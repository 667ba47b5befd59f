"""Connections to SQLite and PostgreSQL, and their errors in plain words."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from trap_hpc.catalogue.address import redacted
from trap_hpc.errors import CatalogueError, RunError, StorageError
from trap_hpc.pipeline.records import Rows, concatenated
from trap_hpc.trust import knows_modes, who_else

_ROWS_AT_ONCE = 20_000
WAIT_S = 600
"""How long the writer waits for somebody who reads."""

_SQLITE_ADVICE = {
    "full": "The disk is full: make room, then `trap-hpc resume` goes on from here",
    "disk i/o": "The disk is full or fails: look after it, then `trap-hpc resume`",
    "attempt to write a readonly": "Whoever wrote it was broken off, and it is not "
    "yours to put right: its owner's `trap-hpc resume` does",
    "readonly": "The file may not be written: check the permissions of its folder",
    "unable to open": "The file can't be opened: check that its folder exists and "
    "may be written",
    "locked": "Another program holds it: end that one, then `trap-hpc resume`",
    "malformed": "The file is damaged: run the images again into a new folder",
    "not a database": "The file is something else: name a run or its catalogue.sqlite",
}


def sqlite_engine(path: Path, *, create: bool = False) -> sa.Engine:
    """Return an engine for one file, with transactions that hold DDL as well.

    No write-ahead log: that needs shared memory, which network file systems lack.
    """
    uri = f"{path.absolute().as_uri()}?mode={'rwc' if create else _mode(path)}"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            uri, uri=True, timeout=WAIT_S, isolation_level=None
        )
        connection.execute("PRAGMA cache_size = -65536")  # KiB
        return connection

    engine = sa.create_engine("sqlite://", creator=connect, poolclass=sa.NullPool)
    # sqlite3 would begin by itself, and not before a CREATE: do it here.
    sa.event.listen(engine, "begin", lambda c: c.exec_driver_sql("BEGIN"))
    return engine


def _mode(path: Path) -> str:
    """Return how to open a file that is there, be it only for reading.

    Ours for writing, too: only so can SQLite undo what a killed writer left. But what
    that is, is in a file beside it, which may name yet another one to be deleted: where
    others can put it there, nothing is written.
    """
    try:
        others = who_else(path.parent.stat()) or who_else(path.stat())
    except OSError:
        return "rw"  # it will say what is wrong
    return "ro" if others and knows_modes(path.parent) else "rw"


def postgresql_engine(url: str) -> sa.Engine:
    """Return an engine for a ``postgresql://`` URL.

    Raises
    ------
    CatalogueError
        If the URL can't be read or psycopg isn't installed.
    """
    try:
        address = sa.make_url(url.split("#")[0]).set(drivername="postgresql+psycopg")
        return sa.create_engine(
            address, poolclass=sa.NullPool, connect_args={"connect_timeout": 10}
        )
    except ImportError as error:
        raise CatalogueError(
            f"{redacted(url)} needs psycopg ({error}); "
            "install it with: pip install 'trap-hpc[postgresql]'"
        ) from error
    except (SQLAlchemyError, ValueError) as error:
        raise CatalogueError(
            f"{redacted(url)} is no database address; write "
            "postgresql://user@host:port/database"
        ) from error


RESUME = "then `trap-hpc resume` goes on from here"


@contextmanager
def plain_errors(place: str | Path, then: str = RESUME) -> Iterator[None]:
    """Turn what a database or a disk reports into one of our errors.

    ``then`` is what to do once a disk that could not be written is put right.
    """
    try:
        yield
    except DBAPIError as error:
        raise _plain(error.orig, str(place)) from error
    except _driver_errors() as error:
        raise _plain(error, str(place)) from error
    except OSError as error:
        # HDF5 says the number, and much else that helps nobody.
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise StorageError(
            f"{place} can't be written: {reason}. Check space and permissions, {then}"
        ) from error


def _driver_errors() -> tuple[type[Exception], ...]:
    """Return the errors of the drivers, which come bare from their own cursors."""
    psycopg = sys.modules.get("psycopg")
    return (sqlite3.Error, psycopg.Error) if psycopg else (sqlite3.Error,)


def _plain(error: BaseException | None, place: str) -> RunError:
    said = str(error).strip().splitlines()[0] if str(error) else type(error).__name__
    if not isinstance(error, sqlite3.Error):
        return CatalogueError(
            f"The database {redacted(place)} can't be used: {said}. "
            "Check that it runs, its name, your user and ~/.pgpass"
        )
    for word, advice in _SQLITE_ADVICE.items():
        if word in said.lower():
            return StorageError(f"{place}: {said}. {advice}")
    return CatalogueError(f"{place}: {said}. This is unexpected: please report it")


def raw_rows(connection: sa.Connection, statement: str) -> Iterator[Sequence[Any]]:
    """Yield the answer in lists of some ten thousand rows.

    By the driver's own cursor: SQLAlchemy's rows cost twice the time.
    """
    cursor = connection.connection.cursor()
    try:
        cursor.execute(statement)
        while rows := cursor.fetchmany(_ROWS_AT_ONCE):
            yield rows
    finally:
        cursor.close()


def fetch_parts(
    connection: sa.Connection, statement: str, dtype: np.dtype[np.void]
) -> Iterator[Rows]:
    """Yield the answer as structured arrays; NULL comes as NaN."""
    for rows in raw_rows(connection, statement):
        yield np.array(rows, dtype)


def fetch(connection: sa.Connection, statement: str, dtype: np.dtype[np.void]) -> Rows:
    """Return the whole answer as one structured array."""
    return concatenated(list(fetch_parts(connection, statement, dtype)), dtype)


def scalar(connection: sa.Connection, statement: str) -> Any:
    """Return the one value that ``statement`` asks for."""
    return connection.exec_driver_sql(statement).scalar()
