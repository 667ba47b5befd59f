"""The contract of an engine.

`start` brings the workers up. The driver then calls `submit` as long as fewer than
`capacity` tasks are under way, and `outcomes` to hear what became of them: every
submitted task has exactly one outcome. An engine delivers a task at most once and never
sends it again by itself: it knows nothing of images, and the driver alone decides, from
its ledger, what is worth a second try. What the driver can't know is when a worker
begins with a task: so it is the engine that ends a task at its limit, and the process
with it. `close` ends all workers, at once and also in the middle of a task; it may be
called twice, and after a failed start.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from trap_hpc.engines.deadline import TimeLeft
from trap_hpc.engines.lease import Beat
from trap_hpc.pipeline.tasks import Receipt, Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The task did its work."""

    task: Task
    receipt: Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The task raised. ``fatal``: trying again is of no use before the user acts."""

    task: Task
    error: str
    fatal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Died:
    """The worker's process died while it worked on this task: it may be to blame."""

    task: Task
    worker: str
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedOut:
    """The task was worked on for longer than its limit, and was ended."""

    task: Task
    worker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """The task was with a worker that is gone, and is not to blame for that."""

    task: Task
    worker: str
    begun: bool = True
    """False: the worker gave it back, having had no time for it."""


Trouble = Failed | Died | TimedOut | Lost
Outcome = Finished | Trouble


class Engine(Protocol):
    """What the driver needs of an engine."""

    name: str

    @property
    def workers(self) -> int:
        """How many tasks are worked on at the same time."""

    @property
    def places(self) -> int:
        """In how many places: a task that failed in one may do well in another."""

    @property
    def capacity(self) -> int:
        """How many tasks may be under way, those waiting at a worker included."""

    def start(self) -> None:
        """Bring the workers up."""

    def submit(self, task: Task) -> None:
        """Deliver ``task`` to a worker, at most once."""

    def outcomes(self, timeout_s: float) -> Sequence[Outcome]:
        """Wait until there is news, at most ``timeout_s``, and return all of it."""

    def close(self) -> None:
        """End all workers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One worker job that has reported for work, and has since been heard of."""

    name: str
    job: str
    """The scheduler's id of its job."""
    node: str
    slots: int
    """How many tasks it works on at the same time; 0: it takes no more."""
    address: str
    """By which of the launcher's addresses it came."""
    silent_s: float
    """How long ago it was last heard of."""
    done: int = 0
    """How many tasks it has finished."""
    left_s: float | None = None
    """How long its job may still run, if it knows."""


class RemoteEngine(Engine, Protocol):
    """An engine whose workers are brought up elsewhere, and come to it.

    Its `capacity` grows from 0 as they come. A worker that is not heard of for a lease
    is lost, and so are the tasks that it had.
    """

    def renew(self, beat: Beat) -> None:
        """Show all workers that the launcher is alive. For a thread of its own."""

    def members(self) -> Sequence[Member]:
        """Return the workers that are there now."""

    def forget(self, jobs: Collection[str]) -> None:
        """Take the workers of these jobs for lost: the scheduler says they ended."""

    def tell_ends(self, jobs: Sequence[TimeLeft]) -> None:
        """Tell workers when their jobs will be ended, who don't know."""

    def dismiss(self) -> None:
        """Tell all workers to stop, and to drop what they work on."""
