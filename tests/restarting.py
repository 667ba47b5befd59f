"""Brokers that others run, kill and start again."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests import rabbitmq
from tests.brokers import systems
from tests.waiting import wait_until
from trap_hpc.engines.broker import Broker

HOST = "127.0.0.1"
KINDS = ("redis-forgets", "redis-remembers", "rabbitmq")


@dataclass
class Server:
    """A server that keeps its data between its lives."""

    command: Sequence[str]
    environment: dict[str, str]
    log: Path
    answers: Callable[[], object]
    broker: Mapping[str, object]
    """How to reach it."""
    _stack: ExitStack = field(default_factory=ExitStack)
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Bring it up, and wait until it answers."""
        self.begin()
        wait_until(self.answers, "the broker answers", 90)

    def begin(self) -> None:
        """Let it come up."""
        run = rabbitmq.running(self.command, self.environment, self.log)
        self._process = self._stack.enter_context(run)

    def kill(self) -> None:
        """End it as no program can expect."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._stack.close()

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self._process is not None
        os.killpg(self._process.pid, number)


def reachable(server: Server, run_id: str, **changes: object) -> Broker:
    """Describe the server for a session."""
    facts = {"run_id": run_id, "epoch": 1, "snapshot": "", "private": False}
    return Broker(**(facts | dict(server.broker) | changes))  # type: ignore[arg-type]


@contextmanager
def server_of(kind: str) -> Iterator[Server]:
    """A server of one of `KINDS`, not yet started, in a folder of its own."""
    with rabbitmq.own_folder() as folder, ExitStack() as stack:
        if kind == "rabbitmq":
            server = _rabbitmq(folder, stack)
        else:
            server = _redis(folder, remembers=kind == "redis-remembers")
        stack.callback(server._stack.close)
        yield server


def _redis(folder: Path, *, remembers: bool) -> Server:
    port, password = rabbitmq.free_port(), secrets.token_hex(16)
    settings = {
        "bind": HOST,
        "port": str(port),
        "requirepass": password,
        "dir": str(folder),
        "save": '""',
        "appendonly": "yes" if remembers else "no",
    }
    path = folder / "redis.conf"
    path.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    for each in (folder, path):
        _hand_over(each)
    asked = f"AUTH {password}\r\nPING\r\n".encode()
    return Server(
        command=(systems(), str(path)),
        environment={"PATH": os.environ["PATH"]},
        log=folder / "log",
        answers=lambda: b"PONG" in _said(port, asked),
        broker={
            "scheme": "redis",
            "addresses": (HOST,),
            "port": port,
            "password": password,
            "path": "0",
        },
    )


def _rabbitmq(folder: Path, stack: ExitStack) -> Server:
    data = rabbitmq.new_server(HOST)
    environment = rabbitmq.prepare(folder, data, rabbitmq.SERVER_USER)
    names, server = rabbitmq.commands(environment)
    log = folder / "log"
    stack.enter_context(rabbitmq.running(names, environment, log))
    return Server(
        command=server,
        environment=environment,
        log=log,
        answers=lambda: _said(data.port, b"hello...")[:4] == b"AMQP",
        broker={
            "scheme": "amqp",
            "addresses": (HOST,),
            "port": data.port,
            "user": data.user,
            "password": data.password,
            "path": data.vhost,
        },
    )


def _hand_over(path: Path) -> None:
    if os.geteuid() == 0:
        shutil.chown(path, rabbitmq.SERVER_USER)


def _said(port: int, asked: bytes) -> bytes:
    """Return what the server answers; nothing if it does not."""
    with suppress(OSError), socket.create_connection((HOST, port), 5.0) as client:
        client.sendall(asked)
        answer, more = b"", b"-"
        while more and b"PONG" not in answer and b"AMQP" not in answer:
            answer += (more := client.recv(100))
        return answer
    return b""


@contextmanager
def beside(work: Callable[[], None]) -> Iterator[threading.Thread]:
    """Do ``work`` in a thread; what it raises rises at the end."""
    raised: list[BaseException] = []

    def do() -> None:
        try:
            work()
        except BaseException as error:
            raised.append(error)
            raise

    thread = threading.Thread(target=do)
    thread.start()
    try:
        yield thread
    finally:
        thread.join()
    if raised:
        raise raised[0]
