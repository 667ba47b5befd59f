"""The file of a ledger: opened, locked, written, and what goes wrong with it in words.

No write-ahead log, so that it works on network file systems; the file stays locked
while a launcher works on the run.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from trap_hpc.errors import RunError, StorageError

SCHEMA_VERSION = 1

_SCHEMA = (
    "CREATE TABLE fact (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE path ("
    "id INTEGER PRIMARY KEY, path TEXT UNIQUE, scanned INTEGER DEFAULT 0)",
    "CREATE TABLE image ("
    "id INTEGER PRIMARY KEY, address TEXT UNIQUE, taustart_us INTEGER, "
    "batch INTEGER, refused INTEGER DEFAULT 0)",
    "CREATE TABLE refusal (address TEXT, step TEXT, kind TEXT, reason TEXT, "
    "PRIMARY KEY (address, step, kind))",
    "CREATE TABLE batch ("
    "id INTEGER PRIMARY KEY, name TEXT UNIQUE, step TEXT, items INTEGER, "
    "attempts INTEGER DEFAULT 0, file TEXT, checksum TEXT, seconds REAL)",
    "CREATE TABLE forced (image INTEGER, batch INTEGER, PRIMARY KEY (image, batch))",
    f"INSERT INTO fact VALUES ('schema_version', '{SCHEMA_VERSION}')",
)
_WHOLE = "SELECT count(*) FROM sqlite_master WHERE name = 'fact'"


class LedgerFile:
    """A file with one writer. Nothing is kept before `commit`."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        """Open the ledger at ``path`` and lock it.

        Raises
        ------
        RunError
            Another launcher works on this run, or the file is no ledger.
        StorageError
            The file can't be written.
        """
        self._path = path
        if not create and not path.exists():
            raise RunError(f"{path.parent} has no ledger: it is not a run to resume")
        with self._speaking():
            self._db = sqlite3.connect(path, timeout=1)
            self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._db.execute("BEGIN EXCLUSIVE")
            for statement in _SCHEMA if create else ():
                self._db.execute(statement)
            self._db.commit()  # all of it or nothing; the lock stays, in this mode
        self._require_whole()

    def _require_whole(self) -> None:
        if not self._all(_WHOLE)[0][0]:
            self.close()
            raise RunError(
                f"{self._path} is empty: the run was killed while it was being made, "
                "and nothing was done yet; remove its folder and start again"
            )

    def close(self) -> None:
        """Give the lock back. What was not committed is gone."""
        self._db.close()

    def commit(self) -> None:
        """Keep everything noted since the last commit."""
        with self._speaking():
            self._db.commit()

    @contextmanager
    def _speaking(self) -> Iterator[None]:
        """Turn SQLite's words into ours."""
        try:
            yield
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise RunError(
                    f"another trap-hpc is working on {self._path.parent}; wait for its "
                    "end, or end it, then try again"
                ) from None
            raise StorageError(
                f"can't write {self._path}: {error}; free some space or mend the "
                "permissions there, then `trap-hpc resume` the run"
            ) from None
        except sqlite3.DatabaseError as error:
            raise RunError(f"{self._path} is damaged: {error}") from None

    def _all(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._speaking():
            return self._db.execute(query, values).fetchall()

    def _many(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        with self._speaking():
            self._db.executemany(statement, rows)
