"""Sessions in tests that need no cluster, their records, and what workers write."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.stand_ins import RUN, Cluster, Server, Time, Workers
from trap_hpc.config.site import Site
from trap_hpc.engines.broker import Broker
from trap_hpc.errors import BrokerError
from trap_hpc.paths import RunPaths
from trap_hpc.run.session.life import Parts, Session
from trap_hpc.run.session.record import SessionRecord
from trap_hpc.schedulers.base import JobRequest
from trap_hpc.worker.rollcall import RollCall, Try


def a_broker(**changes: object) -> Broker:
    facts: dict[str, object] = {
        "run_id": RUN,
        "epoch": 1,
        "identity": "i",
        "snapshot": "s",
        "scheme": "redis",
        "addresses": ("10.0.0.1",),
        "port": 1234,
    }
    return Broker(**(facts | changes))  # type: ignore[arg-type]


def a_record(**changes: object) -> SessionRecord:
    facts: dict[str, object] = {
        "run_id": RUN,
        "epoch": 1,
        "up": True,
        "site": "test",
        "scheduler": "slurm",
        "cluster": "alpha",
        "host": "elsewhere",
        "machine": "another boot of another machine",
        "pid": 1,
        "launcher_began_s": 0.0,
        "lease_s": 10.0,
        "began": "2026-01-01T00:00:00+00:00",
        "submitting": True,
        "arrays": ("1",),
        "jobs": 3,
        "workers": 6,
    }
    return SessionRecord(**(facts | changes))  # type: ignore[arg-type]


def a_call(state: str, job: str, node: str = "n1", **changes: object) -> RollCall:
    facts: dict[str, object] = {
        "state": state,
        "job": job,
        "node": node,
        "pid": 7,
        "epoch": 1,
        "python": "/usr/bin/python3",
        "identity": "theirs",
        "expected": "ours",
        "clock_s": 0.0,
        "cores": 2,
        "memory_bytes": 0,
        "tries": (Try("10.0.0.1", "no route to host", 0.1),),
        "message": "numpy is 1.0 there and 2.0 here",
    }
    return RollCall(**(facts | changes))  # type: ignore[arg-type]


def a_request(paths: RunPaths, count: int = 3) -> JobRequest:
    return JobRequest(
        run_id=RUN,
        epoch=1,
        script=paths.job_script,
        log=paths.logs,
        count=count,
        cores=2,
    )


@dataclass
class Stage:
    """A session whose parts are all in memory, and what was said."""

    directory: Path
    time: Time = field(default_factory=Time)
    cluster: Cluster = field(default_factory=Cluster)
    workers: Workers = field(default_factory=Workers)
    server: Server | None = field(default_factory=lambda: Server(a_broker()))
    """None: it does not start."""
    said: list[str] = field(default_factory=list)

    @property
    def paths(self) -> RunPaths:
        return RunPaths(self.directory)

    def session(self, count: int = 3, **site: object) -> Session:
        for folder in (self.paths.roll_calls, self.paths.logs):
            folder.mkdir(parents=True, exist_ok=True)
        profile = Site(name="test", scheduler="slurm", lease_s=10, beat_s=0.1)
        parts = Parts(
            directory=self.directory,
            epoch=1,
            site=replace(profile, **site),  # type: ignore[arg-type]
            request=a_request(self.paths, count),
            scheduler=self.cluster,
            open_broker=self._open_broker,
            engine=lambda _: self.workers,
        )
        return Session(
            parts,
            say=self.said.append,
            log=self.said.append,
            clock=self.time,
            sleep=self.time.sleep,
        )

    def _open_broker(self) -> Server:
        if self.server is None:
            raise BrokerError("no broker could be started")
        return self.server

    @property
    def told(self) -> str:
        return "\n".join(self.said)
