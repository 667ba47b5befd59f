"""Stand-ins for what a session is made of: time, a scheduler, an engine, a broker."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from trap_hpc.engines.base import Lost, Member, Outcome
from trap_hpc.engines.broker import Broker
from trap_hpc.engines.deadline import TimeLeft
from trap_hpc.engines.lease import Beat
from trap_hpc.errors import SchedulerError
from trap_hpc.pipeline.tasks import Task
from trap_hpc.schedulers.base import Job, JobRequest, State

RUN = "trap-abcdefgh"


@dataclass
class Time:
    """A clock that goes on only while somebody sleeps."""

    now_s: float = 1000.0
    then: Callable[[float], None] = lambda _: None
    """What happens meanwhile."""

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        self.then(self.now_s)


@dataclass
class Cluster:
    """A scheduler in memory that counts its calls."""

    name: str = "slurm"
    asked: str = "squeue"
    calls: list[str] = field(default_factory=list)
    table: dict[str, Job] = field(default_factory=dict)
    obeys: bool = True
    """Whether cancelled jobs end at all."""
    asks_to_end: int = 1
    """So often one has to ask until cancelled jobs are gone."""
    down: int = 0
    """So many calls are not answered."""
    refusal: str = ""
    cluster_name: str = "alpha"
    arrays: int = 0

    def cluster(self) -> str:
        return self.cluster_name

    def submit(self, request: JobRequest) -> tuple[str, ...]:
        self._call("submit")
        if self.refusal:
            raise SchedulerError(self.refusal)
        self.arrays += 1
        for number in range(request.count):
            self.put(f"{self.arrays}_{number}", State.PENDING, "PENDING", "Priority")
        return (str(self.arrays),)

    def put(self, id_: str, state: State, native: str, reason: str = "") -> None:
        self.table[id_] = Job(
            id=id_, name=RUN, state=state, native=native, reason=reason, node="n1"
        )

    def run(self, *ids: str) -> None:
        for id_ in ids or list(self.table):
            self.put(id_, State.RUNNING, "RUNNING")

    def end(self, native: str, *ids: str) -> None:
        for id_ in ids or list(self.table):
            self.put(id_, State.ENDED, native)

    def jobs(self, run_ids: Sequence[str]) -> Sequence[Job]:
        self._call("jobs")
        ending = [j for j in self.table.values() if j.state is State.ENDING]
        if ending and self.obeys:
            self.asks_to_end -= 1
            if self.asks_to_end < 0:
                self.end("CANCELLED", *(job.id for job in ending))
        return [job for job in self.table.values() if job.name in run_ids]

    def cancel(self, ids: Sequence[str]) -> None:
        self._call("cancel")
        for job in list(self.table.values()):
            if job.state.left and (job.array in ids or job.id in ids):
                self.put(job.id, State.ENDING, "COMPLETING")

    def explain(self, job: Job) -> str:
        self.calls.append("explain")
        return f"{job.native} {job.reason}".strip() + " in plain words"

    def hopeless(self, job: Job) -> bool:
        return job.reason == "PartitionConfig"

    def submit_commands(self, request: JobRequest) -> Sequence[Sequence[str]]:
        return [["sbatch"]]

    def rehearse(self, request: JobRequest) -> str:
        return ""

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if self.down > 0:
            self.down -= 1
            raise SchedulerError("Unable to contact slurm controller")


@dataclass
class Workers:
    """A remote engine in memory."""

    name: str = "celery"
    there: list[Member] = field(default_factory=list)
    did: list[str] = field(default_factory=list)
    tasks: deque[Task] = field(default_factory=deque)
    forgotten: set[str] = field(default_factory=set)
    ends: list[TimeLeft] = field(default_factory=list)
    news: list[Outcome] = field(default_factory=list)
    """Heard of at the next occasion."""
    deaf: Exception | None = None
    """Raised by whoever wants to hear from the workers."""
    fault: Exception | None = None
    """Raised by whoever wants the workers to end."""

    @property
    def workers(self) -> int:
        return max(1, sum(member.slots for member in self.there))

    @property
    def places(self) -> int:
        return len(self.there)

    @property
    def capacity(self) -> int:
        return 2 * sum(member.slots for member in self.there)

    def start(self) -> None:
        self.did.append("start")

    def submit(self, task: Task) -> None:
        self.tasks.append(task)

    def outcomes(self, timeout_s: float) -> Sequence[Outcome]:
        if self.deaf:
            raise self.deaf
        lost = [Lost(task=task, worker="w") for task in self.tasks if self.forgotten]
        if lost:
            self.tasks.clear()
        news, self.news = self.news, []
        return [*news, *lost]

    def close(self) -> None:
        self.did.append("close")

    def renew(self, beat: Beat) -> None:
        """The lease is looked at in its file."""

    def members(self) -> Sequence[Member]:
        return tuple(self.there)

    def forget(self, jobs: Collection[str]) -> None:
        self.forgotten.update(jobs)
        self.there = [member for member in self.there if member.job not in jobs]

    def tell_ends(self, jobs: Sequence[TimeLeft]) -> None:
        self.ends = list(jobs)

    def dismiss(self) -> None:
        self.did.append("dismiss")
        if self.fault:
            raise self.fault

    def come(
        self, *jobs: str, slots: int = 2, done: int = 1, left_s: float | None = None
    ) -> None:
        self.there += [
            Member(
                name=f"w{job}",
                job=job,
                node="n1",
                slots=slots,
                address="10.0.0.1",
                silent_s=0.0,
                done=done,
                left_s=left_s,
            )
            for job in jobs
        ]


@dataclass
class Server:
    """A private broker in memory."""

    broker: Broker
    folder: Path | None = None
    did: list[str] = field(default_factory=list)
    ended: str = ""

    def alive(self) -> bool:
        return not self.ended

    def why_ended(self) -> str:
        return self.ended

    def stop(self) -> None:
        self.did.append("stop")
