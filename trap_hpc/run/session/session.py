"""The life of a run on a cluster: up, connected, down.

The only place where schedulers and engines meet.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from trap_hpc.config.site import Site
from trap_hpc.engines.base import RemoteEngine
from trap_hpc.engines.broker import Broker
from trap_hpc.errors import TrapHpcError, UsageError
from trap_hpc.files import checksum, write_whole
from trap_hpc.identity import identity
from trap_hpc.paths import RunPaths
from trap_hpc.run.plan import Plan
from trap_hpc.run.session.earlier import end_earlier_session, reap_others
from trap_hpc.run.session.life import OpenBroker, Parts, Session
from trap_hpc.run.session.order import order
from trap_hpc.run.session.signals import interrupts
from trap_hpc.run.session.watched import WatchedEngine
from trap_hpc.schedulers.known import make_scheduler


@contextmanager
def cluster_session(
    plan: Plan,
    *,
    epoch: int,
    log: Callable[[str], None],
    say: Callable[[str], None],
) -> Iterator[WatchedEngine]:
    """Give an engine whose workers run in jobs of the plan's site; end all after it.

    ``say`` is for what the user should know, ``log`` for the rest. Ctrl-C, SIGTERM and
    SIGHUP rise as KeyboardInterrupt, and do not disturb the end.

    Raises
    ------
    RunError
        The session can't be brought up; no worker is left; the broker has ended.
    UsageError
        The site's profile can't be used on this host.
    """
    assert plan.site is not None
    with interrupts(say) as signals:
        end_earlier_session(plan.run_id, plan.directory, say)
        session = Session(
            _parts(plan, plan.site.site, epoch, log),
            say=say,
            log=log,
            clock=time.monotonic,
            sleep=time.sleep,
        )
        signals.note = session.interrupted
        remark = "interrupted"
        try:
            try:
                engine = session.up()
                reap_others(plan.run_id, session.tell)
                yield engine
                remark = ""
            except (TrapHpcError, KeyboardInterrupt) as error:
                remark = str(error) or remark
                raise
            except Exception as error:
                remark = f"{type(error).__name__}: {error}"
                raise
            finally:
                signals.hold()
        finally:
            signals.hold()  # also if one came a moment before they were held
            session.down(remark)


def _parts(plan: Plan, site: Site, epoch: int, log: Callable[[str], None]) -> Parts:
    paths = RunPaths(plan.directory.absolute())
    ordered = order(plan, site, epoch)
    write_whole(paths.job_script, ordered.script.encode())
    return Parts(
        directory=paths.directory,
        epoch=epoch,
        site=site,
        request=ordered.request,
        scheduler=make_scheduler(site),
        open_broker=lambda: _open_broker(plan, site, epoch, log),
        engine=_engine,
    )


def _engine(broker: Broker) -> RemoteEngine:
    from trap_hpc.engines.celery.engine import CeleryEngine

    return CeleryEngine(broker, address=broker.addresses[0])


def _open_broker(
    plan: Plan, site: Site, epoch: int, log: Callable[[str], None]
) -> OpenBroker:
    paths = RunPaths(plan.directory.absolute())
    try:
        snapshot = checksum(paths.code.read_bytes())
    except OSError as error:
        raise UsageError(f"{paths.code} can't be read: {error}") from None
    if site.broker:
        return _given(plan, site, epoch, snapshot)
    from trap_hpc.engines.redis_server.server import BrokerOrder, start_private_broker
    from trap_hpc.network import candidates

    found = candidates(site.interface, loopback=site.scheduler == "local")
    order = BrokerOrder(
        run_id=plan.run_id,
        epoch=epoch,
        identity=identity(),
        snapshot=snapshot,
        addresses=tuple(each.address for each in found),
        credentials=paths.broker,
        binary=site.broker_binary,
        tls=site.tls,
        lease_s=site.lease_s,
        beat_s=site.beat_s,
    )
    return start_private_broker(order, log)


def _given(plan: Plan, site: Site, epoch: int, snapshot: str) -> OpenBroker:
    from trap_hpc.engines.broker_url import broker_from_url, broker_password

    broker = broker_from_url(
        site.broker,
        password=broker_password(plan.broker_password_file),
        run_id=plan.run_id,
        epoch=epoch,
        identity=identity(),
        snapshot=snapshot,
        lease_s=site.lease_s,
        beat_s=site.beat_s,
    )
    return _Given(broker)


@dataclass(frozen=True, slots=True)
class _Given:
    """A broker that was there before us: whether it lives, the engine notices."""

    broker: Broker
    folder: Path | None = None

    def alive(self) -> bool:
        return True

    def why_ended(self) -> str:
        return ""

    def stop(self) -> None:
        """Leave it alone."""
