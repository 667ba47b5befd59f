"""Who may work: the run's own code, for the session that is on, over an open road.

Checked before anything heavy is imported, and before a connection is made: what is not
the run's code never sees a task.
"""

from __future__ import annotations

import logging
import ssl
import time
import zipfile
import zlib
from contextlib import suppress
from dataclasses import dataclass

from trap_hpc.engines.broker import Broker, Certificates, read_broker
from trap_hpc.engines.celery.keyfiles import KeyFiles
from trap_hpc.engines.lease import LeaseWatch, read_beat
from trap_hpc.errors import BrokerError, RunError
from trap_hpc.identity import identity, refusal, require_snapshot
from trap_hpc.network import dial
from trap_hpc.paths import RunPaths
from trap_hpc.worker.finding import Clock, find_current
from trap_hpc.worker.roll import Roll
from trap_hpc.worker.rollcall import (
    EXIT_DONE,
    EXIT_OTHER_CODE,
    EXIT_UNREACHABLE,
    Try,
)

DIAL_S = 15.0
PATIENCE_S = 2.0
"""Longer than that no better address is waited for when another one has answered."""
DIAL_AGAIN_S = 2.0
AGAIN_FOR_S = 6.0
"""A broker that refuses may have died: another one takes its place within this."""
RESTART_S = 30.0
"""And so long the user's own may need to start again."""

log = logging.getLogger(__name__)


class NotAdmittedError(Exception):
    """The worker must not or can't work. The message says why."""

    def __init__(self, state: str, exit_code: int, message: str) -> None:
        super().__init__(message)
        self.state = state
        self.exit_code = exit_code


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """What a worker needs to begin."""

    paths: RunPaths
    broker: Broker
    address: str
    """Of the broker, the first that answered."""
    watch: LeaseWatch


def admit(
    paths: RunPaths,
    epoch: int,
    roll: Roll,
    *,
    patient: bool,
    clock: Clock = time.monotonic,
) -> Admitted:
    """Go through all checks, in order.

    ``patient``: dial again and again, for as long as the lease holds.

    Raises
    ------
    NotAdmittedError
        There is nothing to do here, or not for us.
    """
    broker = _session(paths, epoch, clock)
    _same_code(paths, broker, roll)
    watch = _lease(paths, broker, clock)
    until_s = clock() + (AGAIN_FOR_S if broker.private else RESTART_S)
    while True:
        tries = _dial(broker, roll)
        if answered := [each.address for each in tries if not each.error]:
            log.info("reached the broker by %s", answered[0])
            roll.say(address=answered[0])
            return Admitted(
                paths=paths, broker=broker, address=answered[0], watch=watch
            )
        watch.see("file", read_beat(paths.lease, epoch))
        if watch.left_s <= 0 or (clock() >= until_s and not patient):
            # The launcher is told in any case. If nobody counts, it is gone as well.
            alive = watch.renewed or watch.seen_s <= broker.beat_s
            code = EXIT_UNREACHABLE if alive else EXIT_DONE
            raise NotAdmittedError("unreachable", code, _unreachable(tries))
        log.warning("%s; dialling again", _unreachable(tries))
        time.sleep(DIAL_AGAIN_S)
        broker = _session(paths, epoch, clock)  # there may be another one by now


def _session(paths: RunPaths, epoch: int, clock: Clock) -> Broker:
    def read() -> Broker | None:
        with suppress(BrokerError):
            return read_broker(paths.broker)
        return None

    broker = find_current(read, epoch, paths.directory, clock=clock)
    if broker is None:
        if not paths.broker.exists():
            raise _late(f"{paths.broker} is not there: the run's session has ended")
        try:
            broker = read_broker(paths.broker)
        except BrokerError as error:
            raise NotAdmittedError("failed", 1, str(error)) from None
    if broker.epoch != epoch:
        raise _late(f"session {epoch} is not on; there is session {broker.epoch}")
    return broker


def _late(why: str) -> NotAdmittedError:
    return NotAdmittedError("late", EXIT_DONE, f"{why}; there is nothing to do")


def _same_code(paths: RunPaths, broker: Broker, roll: Roll) -> None:
    if paths.code.exists():
        try:
            require_snapshot(paths.code, broker.snapshot)
        except RunError as error:
            roll.say(identity=_own_identity(), expected=broker.identity)
            raise _refused(str(error)) from None
    roll.say(identity=identity())
    difference = refusal(paths.directory / "identity.json", broker.identity)
    if difference:
        roll.say(expected=broker.identity)
        raise _refused(difference)


def _own_identity() -> str:
    """Return the identity of a snapshot that was changed, unless it was damaged."""
    try:
        return identity()
    except (OSError, zipfile.BadZipFile, zlib.error):
        return "unreadable"


def _refused(why: str) -> NotAdmittedError:
    return NotAdmittedError("refused", EXIT_OTHER_CODE, why)


def _lease(paths: RunPaths, broker: Broker, clock: Clock) -> LeaseWatch:
    beat = find_current(
        lambda: read_beat(paths.lease), broker.epoch, paths.directory, clock=clock
    )
    if beat is None or beat.epoch != broker.epoch:
        raise _late(f"{paths.lease} is not of session {broker.epoch}")
    watch = LeaseWatch(broker.lease_s, clock)
    watch.see("file", beat)
    return watch


def _dial(broker: Broker, roll: Roll) -> tuple[Try, ...]:
    context = tls_context(broker)
    found = dial(
        broker.addresses,
        broker.port,
        tls=context,
        timeout_s=min(DIAL_S, broker.lease_s / 2),  # or it would run out meanwhile
        patience_s=PATIENCE_S,
    )
    tries = tuple(Try(each.address, each.error, each.seconds) for each in found)
    roll.say(tries=tries, encrypted=context is not None)
    return tries


def _unreachable(tries: tuple[Try, ...]) -> str:
    said = "; ".join(f"{each.address}: {each.error}" for each in tries)
    return f"the broker can't be reached from here: {said or 'it has no address'}"


def tls_context(broker: Broker) -> ssl.SSLContext | None:
    """Return how to shake hands with ``broker``; None if it does not encrypt."""
    if broker.scheme not in ("rediss", "amqps"):
        return None
    if broker.certificates is None:
        return ssl.create_default_context()
    return _mutual(broker.certificates)


def _mutual(certificates: Certificates) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=certificates.authority)
    files = KeyFiles(certificates)
    try:
        context.load_cert_chain(files.certificate, files.key)
    finally:
        files.close()
    return context
