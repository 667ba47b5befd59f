"""Servers of another user that runs depend on: they are killed, and come back."""

from __future__ import annotations

import secrets
import shutil
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.cluster.launches import fresh
from tests.cluster.processes import Command, wait_until
from tests.cluster.slurm import Slurm
from tests.postgresql import binaries
from tests.rabbitmq import LIBRARY, commands, new_server, prepare

START_S = 120.0
DIAL = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])))"


class Service:
    """A server on the login host. It can be killed, and started again."""

    def __init__(
        self,
        slurm: Slurm,
        folder: Path,
        argv: Sequence[str | Path],
        environment: Mapping[str, str],
        answers: Callable[[], bool],
    ) -> None:
        self._slurm = slurm
        self.folder = folder
        self._argv = argv
        self.environment = environment
        self._answers = answers
        self._command: Command | None = None

    def start(self, *, wait: bool = False) -> None:
        self._command = self.run(self._argv)
        if wait:
            wait_until(self._answers, f"{self._argv[0]} answers", START_S, step_s=0.2)

    def run(self, argv: Sequence[str | Path]) -> Command:
        """Start a command of the server's user."""
        return self._slurm.popen_as_user(
            argv,
            user=self._slurm.other,
            environment=self.environment,
            folder=self.folder,
        )

    def kill(self) -> int:
        """End it as if its host had crashed."""
        assert self._command is not None
        pid = self._command.pid
        self._command.send(signal.SIGKILL)
        self._command.wait()
        return pid

    def end(self) -> None:
        if self._command is not None:
            self._command.end()
        shutil.rmtree(self.folder, ignore_errors=True)


def new_folder(slurm: Slurm, name: str) -> Path:
    """Make a folder of the other user that everybody can pass through."""
    folder = slurm.folder / fresh(slurm, name).name
    folder.mkdir()
    shutil.chown(folder, slurm.other.uid, slurm.other.gid)
    return folder


def listening(slurm: Slurm, port: int) -> Callable[[], bool]:
    login = slurm.hosts["login"]
    argv = [sys.executable, "-I", "-S", "-c", DIAL, login.address, str(port)]
    return lambda: login.start(argv).wait().code == 0


def password_file(slurm: Slurm, password: str) -> Path:
    path = fresh(slurm, "password")
    path.touch(mode=0o600)
    path.write_text(password + "\n")
    shutil.chown(path, slurm.user.uid)
    return path


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        return int(held.getsockname()[1])


class RabbitMQ:
    """A RabbitMQ that was there before the run."""

    def __init__(self, slurm: Slurm) -> None:
        folder = new_folder(slurm, "rabbitmq")
        server = new_server(slurm.hosts["login"].address)
        environment = prepare(folder, server, slurm.other.uid)
        names, argv = commands(environment)
        self.service = Service(
            slurm, folder, argv, environment, listening(slurm, server.port)
        )
        self._names = self.service.run(names)
        self.url, self.password = server.url, server.password
        self._vhost = server.vhost

    def left(self) -> list[str]:
        """Return the queues that are there."""
        (program,) = LIBRARY.glob("rabbitmq_server-*/sbin/rabbitmqctl")
        argv: list[str | Path] = [
            program,
            "-q",
            "list_queues",
            "-p",
            self._vhost,
            "name",
        ]
        lines = self.service.run(argv).wait().out.splitlines()
        return [f"queue {line}" for line in lines if line.startswith("trap-")]

    def end(self) -> None:
        self.service.end()
        self._names.end()


class Redis:
    """A Redis that was there before the run."""

    def __init__(self, slurm: Slurm) -> None:
        folder = new_folder(slurm, "redis")
        self._address, self._port = slurm.hosts["login"].address, free_port()
        self.password = secrets.token_urlsafe(16)
        (folder / "redis.conf").write_text(
            f"bind {self._address}\nport {self._port}\nrequirepass {self.password}\n"
        )
        self.service = Service(
            slurm,
            folder,
            ["redis-server", folder / "redis.conf"],
            {},
            listening(slurm, self._port),
        )
        self.url = f"redis://{self._address}:{self._port}"

    def left(self) -> list[str]:
        """Return the keys that are there."""
        at = ["-h", self._address, "-p", str(self._port), "--no-auth-warning"]
        argv = ["redis-cli", *at, "-a", self.password, "--scan"]
        lines = self.service.run(argv).wait().out.splitlines()
        return [f"key {line}" for line in lines if line.strip()]

    def end(self) -> None:
        self.service.end()


class PostgreSQL:
    """A database server that was there before the run."""

    def __init__(self, slurm: Slurm) -> None:
        folder = new_folder(slurm, "pg")
        programs, data = binaries(), folder / "data"
        assert programs is not None
        self._programs = programs
        options: list[str | Path] = ["-c", "fsync=off", "-c", "listen_addresses="]
        options += ["-D", data, "-k", folder]
        argv = [programs / "postgres", *options]
        self.service = Service(slurm, folder, argv, {}, self._answers)
        init: list[str | Path] = [programs / "initdb", "-D", data, "--no-sync"]
        said = self.service.run([*init, "-U", "tester", "-A", "trust"]).wait()
        assert said.code == 0, str(said)
        self.url = f"postgresql://tester@/postgres?host={folder}"

    def _answers(self) -> bool:
        where: list[str | Path] = ["-q", "-h", self.service.folder]
        return (
            self.service.run([self._programs / "pg_isready", *where]).wait().code == 0
        )

    def end(self) -> None:
        self.service.end()
