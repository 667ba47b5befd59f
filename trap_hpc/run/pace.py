"""How long a batch should be, and how long it may take."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

FIRST_LIMIT_S = 300.0
"""An image may take so long as long as nobody knows how long images take."""
LEAST_LIMIT_S = 120.0
GENEROUS = 20
"""So many times as long as the slowest so far an image may take."""
LATE = 4
"""So many times as long as usual a batch is under way that another worker tries."""
LEAST_LATE_S = 10.0


@dataclass(slots=True, kw_only=True)
class Pace:
    """How many items make a batch of about the wanted length."""

    wanted_s: float = 1.5
    fixed: int | None = None
    """The user's own batch size."""
    limit_s: float = 0.0
    """So long an image may take; 0: by what was measured."""
    seconds: dict[str, float] = field(
        default_factory=lambda: {"scan": 0.01, "measure": 0.2, "force": 0.1}
    )
    """Seconds an item, by step: cautious at first, then as measured."""
    slowest: dict[str, float] = field(default_factory=dict)
    """Seconds an item in the slowest batch of a step, once one is finished."""

    def learn(self, step: str, seconds_per_item: float) -> None:
        """Take a finished batch into account."""
        old = self.seconds[step] if step in self.slowest else seconds_per_item
        self.seconds[step] = 0.7 * old + 0.3 * seconds_per_item
        self.slowest[step] = max(self.slowest.get(step, 0.0), seconds_per_item)

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

    def expected_s(self, step: str, items: int) -> float:
        """How long a batch should take."""
        return items * self.seconds[step]

    def may_take_s(self, step: str, items: int) -> float:
        """How long a batch may take: one of its items, and the others as usual."""
        others = items - 1
        return self._item_may_take_s(step) + others * self._usual_s(step)

    def late_s(self, step: str, items: int) -> float:
        """How long after its sending another worker may try a batch, too.

        It may have waited a batch's length for its turn.
        """
        usual_s = max(self.wanted_s, items * self._usual_s(step))
        return max(LEAST_LATE_S, LATE * usual_s)

    def _usual_s(self, step: str) -> float:
        """Seconds an item, and rather too many."""
        return max(self.seconds[step], self.slowest.get(step, 0.0))

    def _item_may_take_s(self, step: str) -> float:
        if self.limit_s:
            return self.limit_s
        if step not in self.slowest:
            return FIRST_LIMIT_S
        return max(LEAST_LIMIT_S, GENEROUS * self.slowest[step])
