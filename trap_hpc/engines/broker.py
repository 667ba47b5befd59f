"""How to reach a session's broker: the content of ``broker.json``.

The file is all that a worker needs to know, and the only place where secrets are: mode
0600, never a job script, a command line or an environment.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import quote

from trap_hpc.errors import BrokerError
from trap_hpc.files import write_whole
from trap_hpc.jsonrecords import parse_record

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """Of a run's own authority, each as PEM text. Both sides show one."""

    authority: str
    certificate: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """A broker, and the session that uses it."""

    run_id: str
    epoch: int
    """The session's number: a worker of another one has nothing to do here."""
    identity: str
    """Of the code that workers must run."""
    snapshot: str
    """Checksum of ``code.zip``."""
    scheme: str
    """``redis``, ``rediss``, ``amqp`` or ``amqps``."""
    addresses: tuple[str, ...]
    """Where it may be reached, to be tried in this order."""
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    path: str = ""
    """Redis: the database's number. RabbitMQ: the virtual host."""
    certificates: Certificates | None = None
    private: bool = True
    """Started by the launcher for this run alone."""
    lease_s: float = 60.0
    beat_s: float = 5.0

    @property
    def queue(self) -> str:
        """Name of the task queue. Nobody with other code or another epoch reads it."""
        return f"{self.run_id}.{self.epoch}.{self.identity}"

    def url(self, address: str) -> str:
        """Return the URL by way of ``address``, with the password in it."""
        host = f"[{address}]" if ":" in address else address
        login = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}@"
        login = login if self.user or self.password else ""
        return f"{self.scheme}://{login}{host}:{self.port}/{quote(self.path, safe='')}"


def write_broker(path: Path, broker: Broker) -> None:
    """Write ``broker`` to ``path``, for its owner alone.

    Raises
    ------
    StorageError
        It can't be written.
    """
    record = {"schema_version": SCHEMA_VERSION, **asdict(broker)}
    write_whole(path, json.dumps(record).encode(), lasting=False, private=True)


def read_broker(path: Path) -> Broker:
    """Read what `write_broker` wrote.

    Raises
    ------
    BrokerError
        It is not there or can't be read.
    """
    try:
        return parse_record(Broker, path.read_bytes())
    except (OSError, ValueError) as error:
        raise BrokerError(f"{path} can't be read: {error}") from None
