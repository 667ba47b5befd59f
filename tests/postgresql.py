"""A private PostgreSQL server for tests, without a port and gone afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.ci import lacking

SERVER_USER = "nobody"
"""PostgreSQL refuses to run as root."""


@dataclass(frozen=True)
class Server:
    """A running server: databases are made by name."""

    binaries: Path
    folder: Path

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://tester@/{database}?host={self.folder}"

    def make(self, database: str) -> str:
        """Make a database and return its URL."""
        self.run("createdb", "-h", str(self.folder), "-U", "tester", database)
        return self.url(database)

    def drop(self, database: str) -> None:
        self.run("dropdb", "-h", str(self.folder), "-U", "tester", database)

    def start(self) -> None:
        options = f"-c listen_addresses='' -k {self.folder} -c fsync=off"
        log = str(self.folder / "log")
        self._control("-l", log, "-o", options, "start")

    def stop(self, mode: str = "fast") -> None:
        """End it: ``fast`` as an administrator does, ``immediate`` as if it died."""
        self._control("-m", mode, "stop")

    def _control(self, *words: str) -> None:
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-w", *words)

    def run(self, program: str, *arguments: str) -> None:
        as_user = ["setpriv", f"--reuid={SERVER_USER}", "--clear-groups"]
        prefix = as_user if os.geteuid() == 0 else []
        subprocess.run(
            [*prefix, str(self.binaries / program), *arguments],
            check=True,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=60,
        )


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A server of our own; without PostgreSQL the test is skipped, but not in CI."""
    programs = binaries()
    if programs is None:
        lacking("PostgreSQL is not installed: apt-get install postgresql")
    # Socket paths may have 107 characters: pytest's own folders are too deep.
    folder = Path(tempfile.mkdtemp(prefix="trap-pg-"))
    if os.geteuid() == 0:
        shutil.chown(folder, SERVER_USER)
    server = Server(binaries=programs, folder=folder)
    data = str(folder / "data")
    try:
        server.run("initdb", "-D", data, "-U", "tester", "-A", "trust", "--no-sync")
        server.start()
        try:
            yield server
        finally:
            server.stop("immediate")
    finally:
        shutil.rmtree(folder)


def binaries() -> Path | None:
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return versions[-1].parent if versions else None
