"""Bringing a server up under its guard."""

from __future__ import annotations

import contextlib
import sys
import time
from dataclasses import dataclass

from trap_hpc import shell
from trap_hpc.alive import this_process
from trap_hpc.engines.broker import Broker
from trap_hpc.engines.redis_server.authority import Pairs
from trap_hpc.engines.redis_server.configuration import configuration, users
from trap_hpc.engines.redis_server.folder import (
    GuardOrder,
    ServerFolder,
    remove_folder,
    write_order,
    write_private,
)
from trap_hpc.engines.redis_server.program import Program
from trap_hpc.engines.redis_server.trial import max_connections
from trap_hpc.errors import BrokerError

START_S = 20.0
STOP_S = 10.0
POLL_S = 0.01
READY = "Ready to accept connections"
TAKEN = "Address already in use"
NO_TLS = ("Bad directive", "TLS support")
"""Words of a server that was built without TLS when it is told of `tls-port`."""


class PortTakenError(BrokerError):
    """Somebody took the port before the server had it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """Everything that one try to start a server needs."""

    program: Program
    broker: Broker
    pairs: Pairs | None
    """None: without encryption."""
    credentials: str

    def write(self, folder: ServerFolder) -> None:
        """Write what server and guard read.

        Raises
        ------
        StorageError
            It can't be written.
        """
        broker = self.broker
        text = configuration(
            folder,
            addresses=broker.addresses,
            port=broker.port,
            encrypted=self.pairs is not None,
            version=self.program.number,
        )
        write_private(folder.configuration, text)
        write_private(folder.users, users(broker.user, broker.password))
        if self.pairs is not None:
            _write_certificates(folder, self.pairs)
        write_order(folder, self._guard_order(folder))

    def _guard_order(self, folder: ServerFolder) -> GuardOrder:
        return GuardOrder(
            run_id=self.broker.run_id,
            epoch=self.broker.epoch,
            port=self.broker.port,
            launcher=this_process(),
            argv=(self.program.path, str(folder.configuration)),
            credentials=self.credentials,
            lease_s=self.broker.lease_s,
        )


def _write_certificates(folder: ServerFolder, pairs: Pairs) -> None:
    write_private(folder.authority, pairs.clients.authority)
    write_private(folder.certificate, pairs.server_certificate)
    write_private(folder.key, pairs.server_key)
    write_private(folder.client_certificate, pairs.clients.certificate)
    write_private(folder.client_key, pairs.clients.key)


def bring_up(launch: Launch, folder: ServerFolder) -> tuple[shell.Process, int]:
    """Start guard and server, and wait until the server lets us in.

    Return the guard, and how many connections the server takes.

    Raises
    ------
    PortTakenError
        Another port may do.
    BrokerError
        The server does not start. The folder is removed.
    """
    try:
        launch.write(folder)
        write_private(folder.log, "")
        argv = [sys.executable, "-P", "-m", f"{__package__}.guard", str(folder.path)]
        guard = shell.start(argv, output=folder.log, keep_stdin=True)
        try:
            connections = _wait_for_answer(launch, folder, guard)
        except BaseException:
            end_guard(guard)
            raise
    except BaseException:
        remove_folder(folder)
        raise
    return guard, connections


def _wait_for_answer(launch: Launch, folder: ServerFolder, guard: shell.Process) -> int:
    ends_s = time.monotonic() + START_S
    while not (connections := _asked(launch.broker, folder)):
        if guard.poll() is not None:
            raise _why_not(launch, folder.last_words() or "it said nothing")
        if time.monotonic() > ends_s:
            words = folder.last_words()
            raise BrokerError(
                f"{launch.program} gave no answer for {START_S:g} s: {words}"
            )
        time.sleep(POLL_S)
    return connections


def _asked(broker: Broker, folder: ServerFolder) -> int:
    """Ask the server, once it says itself that it has the port: others may have it."""
    return READY in folder.words() and max_connections(broker, folder)


def _why_not(launch: Launch, words: str) -> BrokerError:
    if TAKEN in words:
        return PortTakenError(words)
    if launch.pairs is not None and any(sign in words for sign in NO_TLS):
        return BrokerError(f"{launch.program} was built without TLS")
    return BrokerError(f"{launch.program} did not start: {words}")


def end_guard(guard: shell.Process) -> None:
    """Have the guard end the server, and see it gone. May be called twice."""
    with contextlib.suppress(OSError, ValueError):
        assert guard.stdin is not None
        guard.stdin.write(b"end\n")
        guard.stdin.close()
    if not shell.wait(guard, STOP_S):
        guard.kill()  # the server dies with it
        guard.wait()
