"""The running catalogue in memory: where the sources are, and since when."""

from __future__ import annotations

import numpy as np

from trap_hpc.pipeline.associate.averages import Averages
from trap_hpc.pipeline.associate.geometry import Mask
from trap_hpc.pipeline.associate.growing import Growing
from trap_hpc.pipeline.records import RUNCAT, Integers, Rows


class RunningCatalogue:
    """State of all sources, by their number; those that were replaced stay as gaps."""

    def __init__(self) -> None:
        self._averages = Growing(np.float64, (len(Averages._fields),))
        self._alive = Growing(np.bool_)
        self._first_us = Growing(np.int64)
        self._forced_fits = Growing(np.int64)
        self._last_image = Growing(np.int64)

    def __len__(self) -> int:
        return len(self._alive)

    @property
    def averages(self) -> Averages:
        """Views of the columns, by source."""
        return Averages(*self._averages.values)

    @property
    def alive(self) -> Mask:
        """By source: not replaced."""
        return self._alive.values

    def averages_of(self, sources: Integers) -> Averages:
        """Return the averages of some sources."""
        return Averages(*self._averages.values[:, sources])

    def add(self, averages: Averages, taustart_us: int, image: int) -> Integers:
        """Add sources that ``image`` (its number) founds; return their numbers."""
        old, n = len(self), len(averages.wm_ra)
        self._averages.append(np.stack(averages))
        self._alive.append(np.ones(n, bool))
        self._first_us.append(np.full(n, taustart_us))
        self._forced_fits.append(np.zeros(n, np.int64))
        self._last_image.append(np.full(n, image))
        return np.arange(old, old + n)

    def update(self, sources: Integers, averages: Averages, image: int) -> None:
        """Give sources, seen in ``image``, their new averages."""
        self._averages.values[:, sources] = np.stack(averages)
        self._forced_fits.values[sources] = 0
        self._last_image.values[sources] = image

    def remove(self, sources: Integers) -> None:
        """Take out sources that were replaced."""
        self._alive.values[sources] = False

    def unseen(self, sources: Integers, taustart_us: int, image: int) -> Integers:
        """Return those seen earlier than ``taustart_us`` but not in ``image``."""
        missed = self._alive.values[sources] & (
            self._last_image.values[sources] < image
        )
        missed &= self._first_us.values[sources] < taustart_us
        return sources[missed]

    def forced_fits(self, sources: Integers) -> Integers:
        """Return how many forced fits each had since it was last seen."""
        counts: Integers = self._forced_fits.values[sources]
        return counts

    def count_forced_fits(self, sources: Integers) -> None:
        """Add one forced fit to each of the (different) sources."""
        self._forced_fits.values[sources] += 1

    def rows(self) -> Rows:
        """Return RUNCAT rows by source; ids, xtrsrc and forcedfits_count stay 0."""
        rows = np.zeros(len(self), RUNCAT)
        for name, column in self.averages._asdict().items():
            rows[name] = column
        rows["zone"] = np.floor(rows["wm_decl"])
        return rows
