"""The contract of a scheduler.

`Scheduler` is what a session uses. A scheduler with commands of its own (Slurm, PBS)
only writes `Commands`: pure pairs of a command to build and an output to parse, which
need no cluster to be tested; `schedulers.client` runs them, with the time-outs, the
retries and the error texts that all have in common.

Two rules hold everywhere. "Could not ask" is never "gone": a call that failed raises,
and changes nothing that is believed of a job. And gone from the queue is not
"completed": a job that nobody knows any more is unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol


class State(Enum):
    """Where a job is in its life."""

    PENDING = "pending"
    RUNNING = "running"
    ENDING = "ending"
    """Its processes may still be there: it counts as left."""
    ENDED = "ended"

    @property
    def left(self) -> bool:
        """Whether a job in this state is still there."""
        return self is not State.ENDED


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRequest:
    """One job array of worker jobs, all alike."""

    run_id: str
    """Name of the jobs: a job whose id was lost is found by it."""
    epoch: int
    script: Path
    log: Path
    """Folder for what the jobs print, a file each: ``<job>-<node>.log``."""
    count: int
    """How many jobs."""
    cores: int
    """Of each job, on one node."""
    memory: str = ""
    """Of each job, such as ``8GB``; empty: the site's default."""
    walltime: str = ""
    """``HH:MM:SS``; empty: the site's default."""
    queue: str = ""
    account: str = ""
    extra_directives: tuple[str, ...] = ()
    directives_skip: tuple[str, ...] = ()
    """Directives that begin like one of these are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job, or one task of an array, as the scheduler sees it."""

    id: str
    name: str
    state: State
    native: str
    """The scheduler's own word for the state."""
    reason: str = ""
    """The scheduler's own word for why it waits or why it ended."""
    node: str = ""
    ends: str = ""
    """When it will end or ended, as the scheduler writes it, in its time zone."""
    left_s: float | None = None
    """How long it may still run when that was asked, if the scheduler says so."""

    @property
    def array(self) -> str:
        """Id of the array that the job is of, or its own."""
        return self.id.partition("_")[0]


class Scheduler(Protocol):
    """What a session needs of a scheduler."""

    name: str
    asked: str
    """The command that knows: `0 jobs left (asked squeue)`."""

    def cluster(self) -> str:
        """Name of the cluster that jobs go to. Jobs of another are not ours to judge.

        Raises SchedulerError if it can't be asked.
        """

    def submit(self, request: JobRequest) -> tuple[str, ...]:
        """Submit worker jobs, in as few arrays as the site allows; return their ids.

        A submission that timed out but succeeded is found by its name. Raises
        SchedulerError with the scheduler's words and what to do if it is refused; what
        had been submitted by then is cancelled.
        """

    def jobs(self, run_ids: Sequence[str]) -> Sequence[Job]:
        """Return all jobs of these runs that the scheduler still knows, in one call.

        Raises SchedulerError if it can't be asked.
        """

    def cancel(self, ids: Sequence[str]) -> None:
        """Cancel jobs or arrays, pending ones too, in as few calls as possible.

        Jobs that are gone already are no error. Raises SchedulerError if it can't be
        asked; it never waits for the jobs' end.
        """

    def explain(self, job: Job) -> str:
        """Say in a sentence why a job waits or how it ended, and what to do."""

    def hopeless(self, job: Job) -> bool:
        """Whether a job that waits will never start as it is."""

    def submit_commands(self, request: JobRequest) -> Sequence[Sequence[str]]:
        """Return the commands that `submit` would run, for `trap-hpc plan`."""

    def rehearse(self, request: JobRequest) -> str:
        """Ask the scheduler what it would do with the request, without submitting.

        The job script need not be there. Raises SchedulerError if it would be refused.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a cluster says of itself."""

    cluster: str
    max_array_size: int
    """Tasks that an array may have; 0: there are no arrays."""


class Commands(Protocol):
    """Commands of a scheduler, and what their answers mean: pure functions."""

    name: str
    asked: str

    def limits(self) -> Sequence[str]:
        """Return the command that tells the cluster's limits."""

    def parse_limits(self, out: str) -> Limits:
        """Read them."""

    def submit(self, request: JobRequest, count: int) -> Sequence[str]:
        """Return the command that submits ``count`` of the request's jobs."""

    def parse_submit(self, out: str) -> str:
        """Read the id that was given; empty if there is none."""

    def rehearse(self, request: JobRequest, count: int) -> Sequence[str]:
        """Return the command that asks what ``submit`` would do."""

    def jobs(self, run_ids: Sequence[str]) -> Sequence[str]:
        """Return the command that lists all jobs of these runs."""

    def parse_jobs(self, out: str) -> Sequence[Job]:
        """Read them. A word that is unknown is a job that is left."""

    def cancel(self, ids: Sequence[str]) -> Sequence[str]:
        """Return the command that cancels these."""

    def details(self, job: Job) -> Sequence[Sequence[str]]:
        """Return commands that may know how a job ended, to be tried in this order."""

    def explain(self, job: Job, details: str) -> str:
        """Say why a job waits or how it ended; ``details``: what one of them said."""

    def hopeless(self, job: Job) -> bool:
        """Whether a job that waits will never start as it is."""

    def nodes(self) -> Sequence[str]:
        """Return the command that lists what nodes there are."""

    def advise(self, refusal: str, request: JobRequest, nodes: str) -> str:
        """Say what to do after ``refusal``; ``nodes``: what `nodes` printed."""

    def unreachable(self, answer: str) -> bool:
        """Whether a failed command did not reach the scheduler: worth another try."""

    def unknown(self, answer: str) -> bool:
        """Whether a command failed only because the jobs are not known any more."""
