"""The private broker's own folder: on this host, for its owner alone."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from trap_hpc.alive import Launcher
from trap_hpc.engines.broker import read_broker
from trap_hpc.errors import BrokerError
from trap_hpc.files import write_whole
from trap_hpc.jsonrecords import parse_record


@dataclass(frozen=True, slots=True)
class ServerFolder:
    """File names in a broker's folder."""

    path: Path

    @property
    def order(self) -> Path:
        """What the guard is to do."""
        return self.path / "guard.json"

    @property
    def configuration(self) -> Path:
        """What the server reads."""
        return self.path / "redis.conf"

    @property
    def users(self) -> Path:
        """Who may do what, with hashes of passwords."""
        return self.path / "users.acl"

    @property
    def authority(self) -> Path:
        """Certificate of the run's own authority."""
        return self.path / "authority.pem"

    @property
    def certificate(self) -> Path:
        """The server's."""
        return self.path / "server.pem"

    @property
    def key(self) -> Path:
        """The server's."""
        return self.path / "server.key"

    @property
    def client_certificate(self) -> Path:
        """What workers show; here for the first try alone."""
        return self.path / "client.pem"

    @property
    def client_key(self) -> Path:
        """Belongs to it."""
        return self.path / "client.key"

    @property
    def server_id(self) -> Path:
        """Process id of the server, which writes it."""
        return self.path / "redis.pid"

    @property
    def guard_id(self) -> Path:
        """Process id of the guard."""
        return self.path / "guard.pid"

    @property
    def log(self) -> Path:
        """What server and guard say."""
        return self.path / "log"

    def words(self) -> str:
        """Return the log; empty if there is none."""
        with contextlib.suppress(OSError):
            return self.log.read_text(errors="replace")
        return ""

    def last_words(self, lines: int = 5) -> str:
        """Return the end of the log in one line, without advice to administrators."""
        said = [line for line in self.words().splitlines() if "# WARNING" not in line]
        return " / ".join(said[-lines:])


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardOrder:
    """What a guard is to watch, and to remove in the end."""

    run_id: str
    epoch: int
    port: int
    launcher: Launcher
    """Who started the guard, in the same place."""
    argv: tuple[str, ...]
    """The server's command."""
    credentials: str
    """Path of the run's ``broker.json``."""
    lease_s: float


def write_private(path: Path, text: str) -> None:
    """Write a file that nobody else may read.

    Raises
    ------
    StorageError
        It can't be written.
    """
    write_whole(path, text.encode(), lasting=False, private=True)


def write_order(folder: ServerFolder, order: GuardOrder) -> None:
    """Tell the guard what to do.

    Raises
    ------
    StorageError
        It can't be written.
    """
    write_private(folder.order, json.dumps(asdict(order)))


def read_order(folder: ServerFolder) -> GuardOrder:
    """Read what `write_order` wrote.

    Raises
    ------
    BrokerError
        It is not there or can't be read.
    """
    try:
        return parse_record(GuardOrder, folder.order.read_bytes())
    except (OSError, ValueError) as error:
        raise BrokerError(f"{folder.order} can't be read: {error}") from None


def remove_credentials(path: Path, *, epoch: int, port: int) -> None:
    """Remove a ``broker.json``, unless it speaks of another broker by now."""
    with contextlib.suppress(BrokerError, OSError):
        broker = read_broker(path)
        if (broker.epoch, broker.port) == (epoch, port):
            path.unlink()


def remove_folder(folder: ServerFolder) -> None:
    """Remove a broker's folder; there is nothing in it but plain files."""
    with contextlib.suppress(OSError):
        for name in os.listdir(folder.path):
            with contextlib.suppress(OSError):
                (folder.path / name).unlink()
        folder.path.rmdir()
