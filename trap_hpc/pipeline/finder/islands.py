"""Islands: connected pixels that stand out of the noise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from trap_hpc.config.parameters import SourceExtraction
from trap_hpc.pipeline.finder.background import Cleared
from trap_hpc.pipeline.finder.columns import joined, only
from trap_hpc.pipeline.finder.connecting import connected
from trap_hpc.pipeline.finder.field import Booleans
from trap_hpc.pipeline.records import Floats, Integers


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Some pixels of a field: where they are, and what they show (Jy/beam)."""

    x: Integers
    y: Integers
    signal: Floats
    noise: Floats
    threshold: Floats
    """What the signal of each had to reach."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Islands:
    """The pixels of all islands of an image, one island after the other."""

    starts: Integers
    """Where each island begins among the pixels."""
    pixels: Samples
    """Those of one island are in the order of rows."""
    counts: Integers = field(init=False)
    """How many pixels each island has."""

    def __post_init__(self) -> None:
        counts = np.diff(self.starts, append=self.pixels.x.size)
        object.__setattr__(self, "counts", counts)

    def spread(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Give every pixel the value (last axis) of its island."""
        return np.repeat(values, self.counts, axis=-1)

    def total(self, values: Floats) -> Floats:
        """Sum over the pixels (last axis) of each island."""
        sums: Floats = np.add.reduceat(values, self.starts, axis=-1)
        return sums

    def largest(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Maximum over the pixels of each island."""
        maxima: npt.NDArray[Any] = np.maximum.reduceat(values, self.starts)
        return maxima

    def extent(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Maximum minus minimum over the pixels of each island."""
        span: npt.NDArray[Any] = self.largest(values) + self.largest(-values)
        return span

    def at_peak(self, values: Floats) -> Floats:
        """Value where the signal of each island is largest (the first such pixel)."""
        signal = self.pixels.signal
        peaks = np.flatnonzero(signal == self.spread(self.largest(signal)))
        found: Floats = values[peaks[np.searchsorted(peaks, self.starts)]]
        return found

    def reach(self, threshold: float) -> Booleans:
        """Which islands have a pixel of ``threshold`` times the noise."""
        excess = self.pixels.signal - threshold * self.pixels.noise
        reached: Booleans = self.largest(excess) >= 0
        return reached

    def only(self, wanted: Booleans) -> Islands:
        """Return the islands for which ``wanted`` is True."""
        if wanted.all():
            return self
        counts = self.counts[wanted]
        return Islands(
            starts=np.cumsum(counts) - counts,
            pixels=only(self.pixels, self.spread(wanted)),
        )

    def each(self) -> Iterator[Islands]:
        """Yield every island by itself."""
        start = np.zeros(1, dtype=np.int64)
        for first, count in zip(self.starts, self.counts, strict=True):
            own = only(self.pixels, slice(first, first + count))
            yield Islands(starts=start, pixels=own)


def find_islands(cleared: Cleared, parameters: SourceExtraction) -> Islands:
    """Find the islands of pixels above the analysis threshold.

    Pixels belong together if they share an edge. An island counts if one of its pixels
    reaches the detection threshold. Both thresholds are multiples of the noise.
    """
    flat = _above(parameters.analysis_threshold, cleared)
    y, x = np.divmod(flat, cleared.signal.shape[1])
    signal, noise = (
        values.ravel()[flat].astype(np.float64)
        for values in (cleared.signal, cleared.noise)
    )
    islands = gather(
        Samples(
            x=x,
            y=y,
            signal=signal,
            noise=noise,
            threshold=parameters.analysis_threshold * noise,
        )
    )
    return islands.only(islands.reach(parameters.detection_threshold))


def gather(pixels: Samples) -> Islands:
    """Gather ``pixels``, which are in the order of rows, into islands.

    These come in the order of TraP: by their first pixel, column by column.
    """
    width, height = (int(v.max(initial=0)) + 1 for v in (pixels.x, pixels.y))
    label = connected(pixels.y * width + pixels.x, width)
    first_pixel = np.full(label.size, width * height)
    np.minimum.at(first_pixel, label, pixels.x * height + pixels.y)
    owner = first_pixel[label]
    order = np.argsort(owner, kind="stable")
    starts = np.flatnonzero(np.diff(owner[order], prepend=-1))
    return Islands(starts=starts, pixels=only(pixels, order))


def join(islands: Sequence[Islands]) -> Islands:
    """Put the islands of all parts, of which there is at least one, into one."""
    counts = np.concatenate([part.counts for part in islands])
    return Islands(
        starts=np.cumsum(counts) - counts,
        pixels=joined([part.pixels for part in islands]),
    )


def _above(threshold: float, cleared: Cleared) -> Integers:
    """Flat indices of the usable pixels above ``threshold`` times the noise."""
    above = cleared.signal > threshold * cleared.noise
    above &= cleared.field.usable
    flat = np.flatnonzero(above)
    return flat[cleared.noise.ravel()[flat] >= cleared.lowest_noise]
