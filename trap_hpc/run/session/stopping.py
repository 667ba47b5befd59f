"""Asking a run to stop, from anywhere that sees its directory."""

from __future__ import annotations

import getpass
import os
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from trap_hpc.files import write_whole
from trap_hpc.network import host_name
from trap_hpc.paths import RunPaths
from trap_hpc.plaintext import one_line

if TYPE_CHECKING:
    from trap_hpc.engines.base import Engine, Outcome
    from trap_hpc.pipeline.tasks import Task

LOOK_S = 1.0
LONGEST = 200
"""Characters of a request that are read: anybody who may write there can leave one."""
PATIENCE_S = 120.0
"""So long whoever asks waits for the launcher."""


def ask_to_stop(paths: RunPaths) -> None:
    """Leave a request that the run's launcher obeys within a second or two.

    Raises
    ------
    StorageError
        It can't be written.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    who = f"{_user()}@{host_name()} at {now}\n"
    write_whole(paths.stop_request, who.encode(), lasting=False)


def stop_asked(paths: RunPaths) -> str:
    """Return who wants the run to stop; empty if nobody does."""
    try:
        with paths.stop_request.open(encoding="utf-8", errors="replace") as stream:
            return one_line(stream.read(LONGEST).strip()) or "somebody"
    except OSError:
        return ""


def forget_request(paths: RunPaths) -> None:
    """Take a request away: it was obeyed, or was for an earlier session."""
    paths.stop_request.unlink(missing_ok=True)


def stopped_by(by: str) -> KeyboardInterrupt:
    """Return what a run raises that obeys a request."""
    return KeyboardInterrupt(f"`trap-hpc stop` by {by}")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no name is known for this number
        return str(os.getuid())


class StoppableEngine:
    """An engine of this machine whose run can be asked to stop, as any other."""

    def __init__(
        self,
        engine: Engine,
        paths: RunPaths,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._paths = paths
        self._clock = clock
        self._look_at_s = clock()
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
        """Deliver ``task``."""
        self._engine.submit(task)

    def outcomes(self, timeout_s: float) -> Sequence[Outcome]:
        """Wait for news.

        Raises
        ------
        KeyboardInterrupt
            The run was asked to stop.
        """
        if self._clock() >= self._look_at_s:
            self._look_at_s = self._clock() + LOOK_S
            if by := stop_asked(self._paths):
                raise stopped_by(by)
        return self._engine.outcomes(timeout_s)

    def close(self) -> None:
        """End all workers, and say by that that the request was obeyed."""
        self._engine.close()
        forget_request(self._paths)
