"""A private RabbitMQ for tests: an ordinary user's, gone afterwards."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.ci import lacking

SERVER_USER = "nobody"
"""Where we are root: RabbitMQ's files should not be."""
LIBRARY = Path("/usr/lib/rabbitmq/lib")
HOST = "127.0.0.1"
START_S = 90.0


@dataclass(frozen=True)
class RabbitMQ:
    """A running server."""

    host: str
    port: int
    user: str
    password: str
    vhost: str

    @property
    def url(self) -> str:
        """Without the password, as it may stand on a command line."""
        return f"amqp://{self.user}@{self.host}:{self.port}/{self.vhost}"


@pytest.fixture(scope="session")
def rabbitmq_url() -> Iterator[RabbitMQ]:
    """A server of our own; without RabbitMQ the test is skipped, but not in CI."""
    with ExitStack() as stack:
        folder = stack.enter_context(own_folder())
        data = new_server(HOST)
        environment = prepare(folder, data, SERVER_USER)
        for command in commands(environment):
            stack.enter_context(running(command, environment, folder / "log"))
        wait_for(data, folder / "log")
        yield data


def new_server(host: str) -> RabbitMQ:
    """Describe a server that may listen at ``host``."""
    return RabbitMQ(
        host=host,
        port=free_port(),
        user="tester",
        password=secrets.token_urlsafe(32),
        vhost="trap",
    )


def commands(environment: Mapping[str, str]) -> list[tuple[str, ...]]:
    """Return what is to be run, side by side."""
    server = next(LIBRARY.glob("rabbitmq_server-*/sbin/rabbitmq-server"), None)
    epmd = shutil.which("epmd")
    if server is None or epmd is None:
        lacking("RabbitMQ is not installed: apt-get install rabbitmq-server")
    names = ("-address", HOST, "-port", environment["ERL_EPMD_PORT"])
    return [(epmd, *names), (str(server),)]


@contextmanager
def own_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="trap-rabbit-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def free_port() -> int:
    with socket.create_server((HOST, 0)) as held:
        port: int = held.getsockname()[1]
        return port


def prepare(folder: Path, data: RabbitMQ, user: str | int) -> dict[str, str]:
    """Write what the server of ``user`` reads; return what tells it where."""
    for name, text in {
        "rabbitmq.conf": f"listeners.tcp.1 = {data.host}:{data.port}\n"
        f"default_user = {data.user}\n"
        f"default_pass = {data.password}\n"
        f"default_vhost = {data.vhost}\n",
        "plugins": "[].\n",
        "env.conf": "",
        "log": "",
    }.items():
        (folder / name).write_text(text)
    for path in (folder, *folder.iterdir()):
        if os.geteuid() == 0:
            shutil.chown(path, user)
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        # Erlang itself instead of a shell that waits for it.
        "RUNNING_UNDER_SYSTEMD": "true",
        "RABBITMQ_NODENAME": f"trap-{data.port}@localhost",
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "env.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "logs"),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
            "-kernel inet_dist_use_interface {127,0,0,1}"
        ),
        "ERL_EPMD_PORT": str(free_port()),
        "ERL_EPMD_ADDRESS": HOST,
    }


@contextmanager
def running(
    command: Sequence[str], environment: dict[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program that dies with us, whatever happens to us."""
    as_user = ["--reuid", SERVER_USER, "--clear-groups"] if os.geteuid() == 0 else []
    with log.open("ab") as output:
        process = subprocess.Popen(
            ["setpriv", *as_user, "--pdeathsig", "KILL", *command],
            env=environment,
            cwd=log.parent,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(data: RabbitMQ, log: Path) -> None:
    """Wait until the server speaks AMQP: it refuses a client of another protocol."""
    ends_s = time.monotonic() + START_S
    while time.monotonic() < ends_s:
        try:
            with socket.create_connection((data.host, data.port), 5.0) as client:
                client.sendall(b"hello...")
                if client.recv(4) == b"AMQP":
                    return
        except OSError:
            pass
        time.sleep(0.1)
    pytest.fail(f"RabbitMQ does not start: {log.read_text(errors='replace')[-2000:]}")
