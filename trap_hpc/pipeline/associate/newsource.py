"""New sources: those that an earlier image of the same place should have shown."""

from __future__ import annotations

import numpy as np

from trap_hpc.pipeline.associate.geometry import Mask
from trap_hpc.pipeline.associate.growing import Growing
from trap_hpc.pipeline.records import NEWSOURCE, Floats, Integers, Rows

POSSIBLY, LIKELY = 0, 1
"""TraP's newsource types."""


class EarlierLimits:
    """The deepest earlier image of each band and region.

    Deepest is the one of the lowest limit in its quietest part, of those equal the one
    of the lowest limit in its noisiest part, of those equal the earliest. A limit is
    the noise times ``margin``, TraP's ``detection_threshold`` plus
    ``new_source_sigma_margin``.
    """

    def __init__(self, margin: float) -> None:
        self._margin = margin
        self._best: dict[int, Growing[np.float64]] = {}

    def record(
        self, band: int, region: int, image: int, rms_min: float, rms_max: float
    ) -> None:
        """Take note of an image (its number) that was not refused.

        Call it only when no image of the same time is still to come.
        """
        best = self._best.setdefault(band, Growing(np.float64, (3,)))
        known = len(best)
        best.grow(region)
        best.values[:, known:] = np.inf
        low, high = rms_min * self._margin, rms_max * self._margin
        old_low, old_high, _ = best.values[:, region - 1]
        if low < old_low or (low == old_low and high < old_high):
            best.values[:, region - 1] = low, high, image

    def judge(self, band: int, belongs: Mask, f_peak: Floats) -> Rows:
        """Return NEWSOURCE rows for those of the sources that are new.

        Parameters
        ----------
        band
            Id of the image's band.
        belongs
            Shape (sources, regions): the regions of each source.
        f_peak
            Peak flux of each source, in Jy.

        Returns
        -------
        Rows whose runcat is the number of the source among those given, and whose
        previous_limits_image is the image's number; the rest is not filled.
        """
        if band not in self._best or len(f_peak) == 0:
            return np.zeros(0, NEWSOURCE)
        best = self._best[band].values
        low, high, image = _deepest(best, belongs[:, : best.shape[1]])
        new = np.flatnonzero(f_peak > low)
        rows = np.zeros(len(new), NEWSOURCE)
        rows["runcat"] = new
        rows["previous_limits_image"] = image[new]
        rows["newsource_type"] = np.where(f_peak[new] > high[new], LIKELY, POSSIBLY)
        return rows


def _deepest(best: Floats, belongs: Mask) -> tuple[Floats, Floats, Floats]:
    """Return the limits and the image of each source's deepest region."""
    belongs = np.pad(belongs, ((0, 0), (0, best.shape[1] - belongs.shape[1])))
    low, high, image = (np.where(belongs, values, np.inf) for values in best)
    lowest = low.min(axis=1)
    high = np.where(low == lowest[:, np.newaxis], high, np.inf)
    highest = high.min(axis=1)
    image = np.where(high == highest[:, np.newaxis], image, np.inf)
    return lowest, highest, image.min(axis=1)


class NewSources:
    """TraP's newsource rows so far; children of a split inherit their parent's."""

    def __init__(self) -> None:
        self._rows: list[tuple[int, int, int, int]] = []
        self._row_of: dict[int, int] = {}

    def add(self, rows: Rows, sources: Integers) -> None:
        """Add the rows that ``EarlierLimits.judge`` returned for ``sources``."""
        for row in rows:
            source = int(sources[row["runcat"]])
            image, kind = int(row["previous_limits_image"]), int(row["newsource_type"])
            self._append(source, source, image, kind)

    def inherit(self, children: Integers, parents: Integers) -> None:
        """Give children their parents' rows; those of the parents go."""
        for child, parent in zip(children.tolist(), parents.tolist(), strict=True):
            if parent in self._row_of:
                _, trigger, image, kind = self._rows[self._row_of[parent]]
                self._append(child, trigger, image, kind)

    def _append(self, source: int, trigger: int, image: int, kind: int) -> None:
        self._row_of[source] = len(self._rows)
        self._rows.append((source, trigger, image, kind))

    def rows(self, alive: Mask) -> Rows:
        """Return the rows of sources alive; see ``Sources.newsource``."""
        rows = np.zeros(len(self._rows), NEWSOURCE)
        columns = "runcat", "trigger_xtrsrc", "previous_limits_image", "newsource_type"
        for name, values in zip(columns, zip(*self._rows, strict=True), strict=False):
            rows[name] = values
        kept: Rows = rows[alive[rows["runcat"]]]
        return kept
