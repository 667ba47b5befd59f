"""How long a batch should be."""

from __future__ import annotations

import math
from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class Pace:
    """How many items make a batch of about the wanted length."""

    wanted_s: float = 1.5
    fixed: int | None = None
    """The user's own batch size."""
    seconds: dict[str, float] = field(
        default_factory=lambda: {"scan": 0.01, "measure": 0.2, "force": 0.1}
    )
    """Seconds an item, by step: cautious at first, then as measured."""
    _known: set[str] = field(default_factory=set)

    def learn(self, step: str, seconds_per_item: float) -> None:
        """Take a finished batch into account."""
        old = self.seconds[step] if step in self._known else seconds_per_item
        self._known.add(step)
        self.seconds[step] = 0.7 * old + 0.3 * seconds_per_item

    def size(self, step: str, waiting: int, workers: int, total: int) -> int:
        """Items for the next batch of ``step``, of which ``waiting`` items wait.

        Near the end batches get smaller, so that all workers end at the same time; in
        huge runs they get longer, so that there are thousands of files, not millions.
        """
        if self.fixed:
            return self.fixed
        fair_share = max(1, math.ceil(waiting / (2 * max(1, workers))))
        return max(min(self.full(step), fair_share), total // 5000)

    def full(self, step: str) -> int:
        """Items of ``step`` that take about the wanted time."""
        return self.fixed or max(
            1, round(self.wanted_s / max(self.seconds[step], 1e-6))
        )
