"""A session's watch over jobs and workers, whose time a test lets pass."""

from __future__ import annotations

from pathlib import Path
from queue import SimpleQueue

from tests.sessions import Stage, a_call, a_request
from tests.stand_ins import RUN
from trap_hpc.run.session.crew import Crew
from trap_hpc.run.session.events import Event
from trap_hpc.run.session.heart import Heart
from trap_hpc.run.session.jobwatch import JobWatch
from trap_hpc.run.session.lookout import Lookout
from trap_hpc.run.session.watched import WatchedEngine
from trap_hpc.worker.rollcall import write_roll_call


class Watch:
    """A session's watch, whose threads are replaced by `pass_time`."""

    def __init__(self, directory: Path, count: int = 3, poll_s: float = 60) -> None:
        self.stage = Stage(directory)
        self.paths = self.stage.paths
        for folder in (self.paths.roll_calls, self.paths.logs):
            folder.mkdir()
        self.cluster, self.workers = self.stage.cluster, self.stage.workers
        self.time = self.stage.time
        self.events: SimpleQueue[Event] = SimpleQueue()
        self.post = self.events.put
        self.jobs = JobWatch(
            self.cluster,
            RUN,
            logs=self.paths.logs,
            poll_s=poll_s,
            post=self.post,
            clock=self.time,
        )
        self.lookout = Lookout(
            paths=self.paths,
            epoch=1,
            port=1234,
            post=self.post,
            clock=self.time,
            alarm=self.jobs.hurry,
        )
        self.jobs.excused = self.lookout.told_by_themselves
        self.heart = Heart(
            self.paths.lease,
            1,
            lease_s=60,
            beat_s=5,
            post=self.post,
            clock=self.time,
        )
        self.crew = self._crew(count)
        self.engine = WatchedEngine(
            self.workers,
            self.crew,
            self.events,
            say=self.stage.said.append,
            clock=self.time,
        )
        self.crew.submit()

    def _crew(self, count: int) -> Crew:
        return Crew(
            scheduler=self.cluster,
            request=a_request(self.paths, count),
            note=lambda ids, jobs: None,
            watch=self.jobs,
            lookout=self.lookout,
            heart=self.heart,
            post=self.post,
            clock=self.time,
        )

    @property
    def said(self) -> list[str]:
        return self.stage.said

    @property
    def told(self) -> str:
        return self.stage.told

    @property
    def asked(self) -> int:
        return self.cluster.calls.count("jobs")

    def pass_time(self, seconds: int) -> None:
        for _ in range(seconds):
            self.time.sleep(1)
            self.jobs.ask()
            self.lookout.look()
            self.engine.outcomes(0.5)

    def call(self, state: str, job: str, node: str = "n1", **changes: object) -> None:
        write_roll_call(self.paths.roll_calls, a_call(state, job, node, **changes))
