"""A broker of the run's own: a Redis server that nobody else can use."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from trap_hpc import shell
from trap_hpc.engines.broker import Broker, Certificates
from trap_hpc.engines.redis_server.authority import new_certificates
from trap_hpc.engines.redis_server.configuration import MAX_ADDRESSES
from trap_hpc.engines.redis_server.folder import (
    ServerFolder,
    remove_credentials,
    remove_folder,
)
from trap_hpc.engines.redis_server.launching import (
    Launch,
    PortTakenError,
    bring_up,
    end_guard,
)
from trap_hpc.engines.redis_server.leftovers import remove_dead_folders
from trap_hpc.engines.redis_server.places import make_folder
from trap_hpc.engines.redis_server.ports import free_port
from trap_hpc.engines.redis_server.program import Program, find_programs
from trap_hpc.errors import BrokerError

PORT_TRIES = 5
MODES = {"auto": (True, False), "required": (True,), "off": (False,)}
"""Whether to encrypt, in the order of trying."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerOrder:
    """What broker is wanted."""

    run_id: str
    epoch: int
    identity: str
    snapshot: str
    addresses: tuple[str, ...]
    """Of this host, to bind to and to be dialled, the best one first."""
    credentials: Path
    """The run's ``broker.json``, which is removed with the broker."""
    binary: str = ""
    """The server's program; empty: the first that is found."""
    tls: str = "auto"
    """``auto``, ``required`` or ``off``."""
    lease_s: float = 60.0
    beat_s: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateBroker:
    """A server that is up, and its guard."""

    broker: Broker
    """How to reach it."""
    folder: Path
    """Its own, on this host."""
    program: str
    """Path and version."""
    remark: str
    """Why traffic is not encrypted, if it is not."""
    connections: int
    """That the server takes at a time; a worker has a handful."""
    credentials: Path
    guard: shell.Process = field(repr=False)

    def alive(self) -> bool:
        """Whether the server is up, as far as its guard knows."""
        return self.guard.poll() is None

    def why_ended(self) -> str:
        """Return what is known of a server that is no longer up, in a sentence."""
        words = ServerFolder(self.folder).last_words() or "nothing"
        return f"the broker {self.program} has ended; its log says: {words}"

    def stop(self) -> None:
        """End the server, remove its folder and the credentials; may be repeated."""
        end_guard(self.guard)
        broker = self.broker
        remove_credentials(self.credentials, epoch=broker.epoch, port=broker.port)
        remove_folder(ServerFolder(self.folder))


def start_private_broker(
    order: BrokerOrder, log: Callable[[str], None]
) -> PrivateBroker:
    """Start a broker that only this run can use; it ends with us, or a lease later.

    Raises
    ------
    BrokerError
        No program that can be one is found, or none of them starts.
    """
    remove_dead_folders()
    found = find_programs(order.binary)
    reasons = list(found.skipped)
    for encrypted in MODES[order.tls]:
        remark = "" if encrypted else _unencrypted(reasons[len(found.skipped) :])
        for program in found.programs:
            try:
                broker = _start(order, program, encrypted, remark)
            except BrokerError as error:
                reasons.append(str(error))
            else:
                log(_told(broker))
                return broker
    raise BrokerError(_nothing(order, reasons))


def _unencrypted(failed: Sequence[str]) -> str:
    why = "; ".join(failed) or "`tls` is off in the site profile"
    return f"traffic is not encrypted: {why}"


def _told(private: PrivateBroker) -> str:
    broker = private.broker
    where = ", ".join(broker.addresses)
    told = (
        f"broker: {private.program}, {broker.scheme}, port {broker.port} of {where}, "
        f"at most {private.connections} connections"
    )
    return f"{told}; {private.remark}" if private.remark else told


def _nothing(order: BrokerOrder, reasons: Sequence[str]) -> str:
    wanted = " with TLS" if order.tls == "required" else ""
    return (
        f"no broker{wanted} could be started: {'; '.join(dict.fromkeys(reasons))}. "
        "Name a redis-server or valkey-server, 6.2 or later, as `broker-binary` in the "
        "site profile, bring one onto PATH (`module load redis`, `conda install "
        "redis-server`), or name a broker that is there already with --broker"
    )


def _start(
    order: BrokerOrder, program: Program, encrypted: bool, remark: str
) -> PrivateBroker:
    for _ in range(PORT_TRIES):
        launch = _launch(order, program, encrypted)
        folder = make_folder()
        try:
            guard, connections = bring_up(launch, folder)
        except PortTakenError:
            continue
        return PrivateBroker(
            broker=launch.broker,
            folder=folder.path,
            program=str(program),
            remark=remark,
            connections=connections,
            credentials=order.credentials,
            guard=guard,
        )
    raise BrokerError(f"{program}: {PORT_TRIES} free ports were taken in between")


def _launch(order: BrokerOrder, program: Program, encrypted: bool) -> Launch:
    addresses = order.addresses[:MAX_ADDRESSES]
    pairs = new_certificates(addresses, order.run_id) if encrypted else None
    certificates = pairs.clients if pairs else None
    broker = _broker(order, addresses, free_port(addresses), certificates)
    return Launch(
        program=program,
        broker=broker,
        pairs=pairs,
        credentials=str(order.credentials.absolute()),
    )


def _broker(
    order: BrokerOrder,
    addresses: tuple[str, ...],
    port: int,
    certificates: Certificates | None,
) -> Broker:
    return Broker(
        run_id=order.run_id,
        epoch=order.epoch,
        identity=order.identity,
        snapshot=order.snapshot,
        scheme="rediss" if certificates else "redis",
        addresses=addresses,
        port=port,
        user=order.run_id,
        password=secrets.token_urlsafe(32),
        path="0",
        certificates=certificates,
        lease_s=order.lease_s,
        beat_s=order.beat_s,
    )
