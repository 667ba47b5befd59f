"""What has not been sent yet, and how it is cut into batches."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from trap_hpc.run.pace import Pace
from trap_hpc.run.sendings import Sending, Work

STEPS = ("scan", "force", "measure")
"""In the order of their urgency: light curves wait for forced fits."""


class Backlog:
    """Work of all steps that waits."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._waiting: dict[str, deque[Work]] = {step: deque() for step in STEPS}
        self._total = 0

    @property
    def empty(self) -> bool:
        """Whether nothing waits."""
        return not any(self._waiting.values())

    def waiting(self, step: str) -> int:
        """How many items of ``step`` wait."""
        return len(self._waiting[step])

    def offer(self, step: str, work: Sequence[Work], *, first: bool = False) -> None:
        """Let ``work`` be done, ``first`` or after all that waits."""
        queue = self._waiting[step]
        if first:
            queue.extendleft(reversed(work))
        else:
            queue.extend(work)
        self._total += len(work)

    def reorder(self, step: str, key: Callable[[Work], object]) -> None:
        """Sort what waits."""
        self._waiting[step] = deque(sorted(self._waiting[step], key=key))  # type: ignore[arg-type]

    def cut(self, workers: int, *, hold_partial: bool) -> Sending | None:
        """Return the next batch, for one of so many workers.

        ``hold_partial`` keeps forced fits back until they fill a batch.
        """
        step = self._most_urgent(hold_partial)
        if step is None:
            return None
        queue = self._waiting[step]
        size = self._pace.size(step, len(queue), workers, self._total)
        work = [queue.popleft() for _ in range(min(size, len(queue)))]
        return Sending(batch=0, step=step, work=work)

    def _most_urgent(self, hold_partial: bool) -> str | None:
        for step in STEPS:
            queue = self._waiting[step]
            if not queue:
                continue
            if hold_partial and step == "force" and len(queue) < self._pace.full(step):
                continue
            return step
        return None
