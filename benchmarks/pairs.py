"""Two runs, over few images and over many: what a further image costs.

*Whole command* counts from the start of the command to the end of its process, over the
many. *Steady* is the difference between many and few, so that start-up and the closing
of the catalogue don't count, but all that is done for an image does: reading headers,
forced fits, association and writing included. Images come from the page cache.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.commands import BenchmarkError

TRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How many images are run, and how often."""

    few: int
    many: int
    rounds: int

    @property
    def further(self) -> int:
        return self.many - self.few


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Of one run."""

    wall_s: float
    cpu_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    few: Cost
    many: Cost
    extent: Extent

    @property
    def whole(self) -> float:
        """Images per second."""
        return self.extent.many / self.many.wall_s

    @property
    def steady(self) -> float:
        """Images per second."""
        return self.extent.further / (self.many.wall_s - self.few.wall_s)

    @property
    def cpu_ms(self) -> float:
        """CPU time of a further image."""
        return 1000 * (self.many.cpu_s - self.few.cpu_s) / self.extent.further


def run_pair(extent: Extent, cost: Callable[[int], Cost]) -> Pair:
    """Run few images and many; ``cost`` runs as many as it is told.

    Raises
    ------
    BenchmarkError
        The many took less time than the few, again and again.
    """
    for _ in range(TRIES):
        pair = Pair(few=cost(extent.few), many=cost(extent.many), extent=extent)
        if pair.many.wall_s > pair.few.wall_s:
            return pair
    raise BenchmarkError("more images took less time: this machine is too busy")
