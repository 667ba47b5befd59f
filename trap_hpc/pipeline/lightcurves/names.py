"""The ids that catalogue rows get, counted from 1 in the order of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trap_hpc.pipeline.associate.growing import Growing
from trap_hpc.pipeline.records import Integers


@dataclass(frozen=True, slots=True, kw_only=True)
class Ids:
    """Ids that tables bring with them, by image of the time step."""

    images: Sequence[int]
    blind: Sequence[Integers]
    """By row of ``blind``."""
    forced: Sequence[Integers]
    """By row of the fits; what stands at failed ones is not used."""


class Count:
    """Numbers from 1, some at a time."""

    def __init__(self) -> None:
        self._last = 0

    def next(self, n: int) -> Integers:
        """Return the next ``n`` numbers."""
        self._last += n
        return np.arange(self._last - n + 1, self._last + 1)


class Names:
    """The ids of what the association knows by its place in the order."""

    def __init__(self) -> None:
        self.runcat = Growing(np.int64)
        """By source: its id in the running catalogue."""
        self.xtrsrc = Growing(np.int64)
        """By source: the id of its first extraction."""
        self.image = Growing(np.int64)
        """By number of the image."""
        self.runcats, self.points = Count(), Count()
        self.extractions, self.images = Count(), Count()

    def add_images(self, n: int, ids: Ids | None) -> Integers:
        """Give ids to the images of a time step."""
        new = np.array(ids.images, np.int64) if ids else self.images.next(n)
        self.image.append(new)
        return new

    def add_sources(self, xtrsrc: Integers) -> None:
        """Give ids to sources, by the ids of their first extractions."""
        self.runcat.append(self.runcats.next(len(xtrsrc)))
        self.xtrsrc.append(xtrsrc)
