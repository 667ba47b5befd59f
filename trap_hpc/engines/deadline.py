"""When a worker's job will be ended, and whether there still is time for a task.

By the worker's own monotonic clock, counted from what its job had left when it began:
the clock of a node may be an hour wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

LEAVING_S = 20.0
"""A worker leaves so long before its end, if its job is not a short one."""
SHARE = 0.1
"""Of a short job, this part."""
UNSURE = 2.0
"""So many times as long as it should a task may well take."""
EARLY = 0.5
"""As long as a job has more than this part of its time left, it takes any task: others
would have no more time for it, if they give it back as well."""


@dataclass(frozen=True, slots=True)
class TimeLeft:
    """How long a job may still run, as the scheduler says."""

    job: str
    seconds: float


class Deadline:
    """The end of a job, as far as anybody knows it. Any thread may ask."""

    def __init__(self, left_s: float | None, clock: Callable[[], float]) -> None:
        """``left_s``: how long the job may still run; None: nobody knows."""
        self._clock = clock
        self._ends_s: float | None = None
        self._leaving_s = LEAVING_S
        self._early_s = 0.0
        if left_s is not None:
            self.learn(left_s)

    def learn(self, left_s: float) -> None:
        """Take what the scheduler says, if nobody has known it so far."""
        if self._ends_s is None:
            self._leaving_s = min(LEAVING_S, SHARE * left_s)
            self._early_s = EARLY * left_s
            self._ends_s = self._clock() + left_s

    @property
    def left_s(self) -> float | None:
        """How long the job may still run; None if nobody knows."""
        return None if self._ends_s is None else self._ends_s - self._clock()

    @property
    def near(self) -> bool:
        """Whether it is time to begin nothing more."""
        return not self.leaves_time_for(0.0)

    @property
    def at_hand(self) -> bool:
        """Whether it is time to leave, whatever is being done."""
        left_s = self.left_s
        return left_s is not None and left_s <= self._leaving_s / 3

    def leaves_time_for(self, expected_s: float) -> bool:
        """Whether a task that should take so long can be finished."""
        left_s = self.left_s
        needed_s = min(self._leaving_s + UNSURE * expected_s, self._early_s)
        return left_s is None or left_s > needed_s
