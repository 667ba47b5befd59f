"""Everything in this process, one task after the other: for debuggers and tiny runs."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from trap_hpc.engines.base import Finished, Outcome
from trap_hpc.pipeline.tasks import Task, work


class SerialEngine:
    """Works on a task when asked for outcomes. Exceptions rise to the caller."""

    name = "serial"
    workers = 1
    places = 1
    capacity = 1

    def __init__(self) -> None:
        self._waiting: deque[Task] = deque()

    def start(self) -> None:
        """Nothing to bring up."""

    def submit(self, task: Task) -> None:
        """Remember ``task`` for the next `outcomes`."""
        self._waiting.append(task)

    def outcomes(self, timeout_s: float) -> Sequence[Outcome]:
        """Work on the oldest task."""
        if not self._waiting:
            return []
        task = self._waiting.popleft()
        return [Finished(task=task, receipt=work(task, strict=True))]

    def close(self) -> None:
        """Forget what has not begun."""
        self._waiting.clear()
