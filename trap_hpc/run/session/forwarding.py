"""What engines have in common that stand before another one and hand on to it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Generic, TypeVar

from trap_hpc.engines.base import Engine, Member, Outcome, RemoteEngine
from trap_hpc.engines.deadline import TimeLeft
from trap_hpc.engines.lease import Beat
from trap_hpc.pipeline.tasks import Task

E = TypeVar("E", bound=Engine)


class Forwarding(Generic[E]):
    """An engine that does as the one behind it does."""

    def __init__(self, engine: E) -> None:
        self._engine = engine
        self.name = engine.name

    @property
    def workers(self) -> int:
        """How many tasks are worked on at the same time."""
        return self._engine.workers

    @property
    def places(self) -> int:
        """In how many places."""
        return self._engine.places

    @property
    def capacity(self) -> int:
        """How many tasks may be under way."""
        return self._engine.capacity

    def start(self) -> None:
        """Bring the workers up."""
        self._engine.start()

    def submit(self, task: Task) -> None:
        """Deliver ``task`` to a worker, at most once."""
        self._engine.submit(task)

    def outcomes(self, timeout_s: float) -> Sequence[Outcome]:
        """Wait until there is news, and return all of it."""
        return self._engine.outcomes(timeout_s)

    def close(self) -> None:
        """End all workers."""
        self._engine.close()


class ForwardingRemote(Forwarding[RemoteEngine]):
    """A remote engine that does as the one behind it does."""

    def renew(self, beat: Beat) -> None:
        """Show all workers that the launcher is alive. For a thread of its own."""
        self._engine.renew(beat)

    def members(self) -> Sequence[Member]:
        """Return the workers that are there now."""
        return self._engine.members()

    def forget(self, jobs: Collection[str]) -> None:
        """Take the workers of these jobs for lost."""
        self._engine.forget(jobs)

    def tell_ends(self, jobs: Sequence[TimeLeft]) -> None:
        """Tell workers when their jobs will be ended, who don't know."""
        self._engine.tell_ends(jobs)

    def dismiss(self) -> None:
        """Tell all workers to stop."""
        self._engine.dismiss()
