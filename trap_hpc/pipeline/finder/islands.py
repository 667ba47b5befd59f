"""Islands: connected pixels that stand out of the noise."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from trap_hpc.config.parameters import SourceExtraction
from trap_hpc.pipeline.finder.background import Cleared
from trap_hpc.pipeline.finder.field import Booleans
from trap_hpc.pipeline.records import Floats, Integers


@dataclass(frozen=True, slots=True, kw_only=True)
class Islands:
    """The pixels of all islands of an image, one island after the other.

    Fluxes are in Jy/beam, positions in pixels of the field.
    """

    starts: Integers
    """Where each island begins in the arrays of pixels."""
    x: Floats
    y: Floats
    signal: Floats
    noise: Floats
    threshold: Floats
    """What the signal of each pixel had to exceed."""
    counts: Integers = field(init=False)
    """How many pixels each island has."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "counts", np.diff(self.starts, append=self.x.size))

    def spread(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Give every pixel the value (last axis) of its island."""
        return np.repeat(values, self.counts, axis=-1)

    def total(self, values: Floats) -> Floats:
        """Sum over the pixels (last axis) of each island."""
        sums: Floats = np.add.reduceat(values, self.starts, axis=-1)
        return sums

    def largest(self, values: Floats) -> Floats:
        """Maximum over the pixels of each island."""
        maxima: Floats = np.maximum.reduceat(values, self.starts)
        return maxima

    def extent(self, values: Floats) -> Floats:
        """Maximum minus minimum over the pixels of each island."""
        span: Floats = self.largest(values) + self.largest(-values)
        return span

    def at_peak(self, values: Floats) -> Floats:
        """Value where the signal of each island is largest (the first such pixel)."""
        peaks = np.flatnonzero(self.signal == self.spread(self.largest(self.signal)))
        found: Floats = values[peaks[np.searchsorted(peaks, self.starts)]]
        return found

    def only(self, wanted: Booleans) -> Islands:
        """Return the islands for which ``wanted`` is True."""
        if wanted.all():
            return self
        pixels = self.spread(wanted)
        counts = self.counts[wanted]
        return Islands(
            starts=np.cumsum(counts) - counts,
            x=self.x[pixels],
            y=self.y[pixels],
            signal=self.signal[pixels],
            noise=self.noise[pixels],
            threshold=self.threshold[pixels],
        )


def find_islands(cleared: Cleared, parameters: SourceExtraction) -> Islands:
    """Find the islands of pixels above the analysis threshold.

    Pixels belong together if they share an edge. An island counts if one of its pixels
    reaches the detection threshold. Both thresholds are multiples of the noise. Islands
    come in the order of TraP: by their first pixel, column by column.
    """
    flat = _pixels_above(parameters.analysis_threshold, cleared)
    height, width = cleared.signal.shape
    label = _labels(flat, width)
    signal = cleared.signal.ravel()[flat].astype(np.float64)
    noise = cleared.noise.ravel()[flat].astype(np.float64)

    bright = np.zeros(flat.size, dtype=bool)
    bright[label[signal >= parameters.detection_threshold * noise]] = True
    kept = np.flatnonzero(bright[label])
    label = label[kept]
    y, x = np.divmod(flat[kept], width)
    first_pixel = np.full(flat.size, cleared.signal.size)
    np.minimum.at(first_pixel, label, x * height + y)
    order = np.argsort(first_pixel[label], kind="stable")
    kept = kept[order]
    noise = noise[kept]
    return Islands(
        starts=np.flatnonzero(np.diff(label[order], prepend=-1)),
        x=x[order].astype(np.float64),
        y=y[order].astype(np.float64),
        signal=signal[kept],
        noise=noise,
        threshold=parameters.analysis_threshold * noise,
    )


def _pixels_above(threshold: float, cleared: Cleared) -> Integers:
    """Flat indices of the usable pixels above ``threshold`` times the noise."""
    above = cleared.signal > threshold * cleared.noise
    above &= cleared.field.usable
    flat = np.flatnonzero(above)
    return flat[cleared.noise.ravel()[flat] >= cleared.lowest_noise]


def _labels(flat: Integers, width: int) -> Integers:
    """Give pixels that are connected by edges a common number, less than their count.

    ``flat`` are their indices, ascending, in an image of ``width`` columns. Pixels side
    by side form runs; runs that touch from row to row form islands.
    """
    begins = (np.diff(flat, prepend=-2) != 1) | (flat % width == 0)
    run = np.cumsum(begins) - 1
    below = np.searchsorted(flat, flat + width)
    upper = np.flatnonzero(np.take(flat, below, mode="clip") == flat + width)
    label = _components(run[upper], run[below[upper]], int(begins.sum()))
    labels: Integers = label[run]
    return labels


def _components(one: Integers, other: Integers, count: int) -> Integers:
    """Label the connected components of a graph by their smallest node.

    ``one`` and ``other`` are the ends of its edges. Each round hangs the roots of all
    trees that an edge joins under the smaller one (Shiloach & Vishkin 1982).
    """
    root = np.arange(count)
    while True:
        left, right = root[one], root[other]
        if np.array_equal(left, right):
            return root
        smaller = np.minimum(left, right)
        np.minimum.at(root, left, smaller)
        np.minimum.at(root, right, smaller)
        while not np.array_equal(root, root[root]):
            root = root[root]
