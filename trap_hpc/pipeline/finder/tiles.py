"""Background level and noise of the tiles of an image, by kappa-sigma clipping."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from trap_hpc.pipeline.finder.field import Pixels
from trap_hpc.pipeline.records import Floats, Integers

KAPPA = 2.0
SKEWED = 0.3
"""Pearson's (mean - median) / sigma above which a tile's mode is not extrapolated."""
MAX_CLIPS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ranges:
    """What clipping has left of each tile: a range of its pixels in ascending order."""

    start: Integers
    stop: Integers
    total: Floats
    """Sum of the pixels."""
    squares: Floats
    """Sum of their squares."""

    def mean_and_deviation(self) -> tuple[Floats, Floats]:
        """Mean and standard deviation of the pixels in each range."""
        count = self.stop - self.start
        mean = self.total / count
        variance = self.squares / count - mean * mean
        return mean, np.sqrt(np.maximum(variance, 0.0))

    def median(self, values: Floats) -> Floats:
        """Median of the pixels in each range of ``values``."""
        both = self.start + self.stop
        middle: Floats = 0.5 * (values[(both - 1) // 2] + values[both // 2])
        return middle

    def narrowed(self, values: Floats, start: Integers, stop: Integers) -> _Ranges:
        """Take off what lies outside of new limits, which lie inside of the old."""
        count = np.concatenate([start - self.start, self.stop - stop])
        end = np.cumsum(count)
        first = np.concatenate([self.start, stop])
        index = np.arange(end[-1]) + np.repeat(first + count - end, count)
        lost = values[index]
        tile = np.repeat(np.tile(np.arange(start.size), 2), count)
        return _Ranges(
            start=start,
            stop=stop,
            total=self.total - np.bincount(tile, lost, start.size),
            squares=self.squares - np.bincount(tile, lost * lost, start.size),
        )


def level_and_noise(tiles: Pixels) -> tuple[Floats, Floats]:
    """Mode and standard deviation of the noise in each row of ``tiles``.

    Pixels are clipped beyond ``KAPPA`` sigma about the median until none is left to
    clip, and sigma is corrected for what clipping takes off a Gaussian. The mode is
    2.5 median - 1.5 mean, or the median if the pixels are skewed (Bertin & Arnouts
    1996, section 3).

    Parameters
    ----------
    tiles
        Pixels, shape (tiles, pixels of a tile), infinite where there is none.
        A NaN makes the whole tile useless.

    Returns
    -------
    level, noise
        One number a tile, zero if it is useless.
    """
    ordered = np.sort(tiles)
    # NaN is sorted behind infinity.
    useful = np.flatnonzero(~np.isnan(ordered[:, -1]))
    level, noise = np.zeros((2, len(tiles)))
    if useful.size:
        level[useful], noise[useful] = _measured(ordered[useful])
    return level, noise


def _measured(ordered: Pixels) -> tuple[Floats, Floats]:
    """`level_and_noise` of rows in ascending order, each with a pixel at least."""
    filled = _filled(ordered)
    origin = ordered[np.arange(filled.size), filled // 2].astype(np.float64)
    values = ordered - origin[:, None]
    ranges = _whole_rows(values, filled)
    scale = ranges.mean_and_deviation()[1]
    scale[scale == 0] = 1.0
    values /= scale[:, None]
    ranges = replace(
        ranges, total=ranges.total / scale, squares=ranges.squares / scale**2
    )
    mode, sigma = _clip(values, ranges)
    return origin + scale * mode, scale * sigma


def _filled(ordered: Pixels) -> Integers:
    """How many pixels each row has."""
    counts = np.full(len(ordered), ordered.shape[1])
    short = np.flatnonzero(np.isinf(ordered[:, -1]))
    counts[short] = (ordered[short] < np.inf).sum(axis=1)
    return counts


def _whole_rows(values: Floats, filled: Integers) -> _Ranges:
    """Return the ranges of all pixels, ``filled`` of them in each row."""
    start = np.arange(filled.size) * values.shape[1]
    stop = start + filled
    # reduceat sums from each bound to the next: every second sum is that of a row.
    bounds = np.stack([start, stop], axis=1).ravel()[:-1]
    flat = values.ravel()[: stop[-1]]
    total, squares = (np.add.reduceat(v, bounds)[::2] for v in (flat, flat * flat))
    return _Ranges(start=start, stop=stop, total=total, squares=squares)


def _clip(values: Floats, ranges: _Ranges) -> tuple[Floats, Floats]:
    """Clip rows of ``values`` whose first sigma is 1; their modes and last sigmas.

    Every row gets a stretch of one common axis, so that one search finds the new
    limits of all. In units of sigma no pixel is farther from the mean than the root
    of their number.
    """
    farthest = 2 * math.sqrt(values.shape[1]) + 2
    stretch = np.arange(len(values)) * 4 * farthest
    flat = np.minimum(values, farthest, out=values).ravel()
    axis = (values + stretch[:, None]).ravel()
    active = np.ones(stretch.size, dtype=bool)
    median, (mean, sigma) = ranges.median(flat), ranges.mean_and_deviation()
    for _ in range(MAX_CLIPS):
        limit = KAPPA * sigma
        first = np.searchsorted(axis, stretch + median - limit, "left")
        last = np.searchsorted(axis, stretch + median + limit, "right")
        first, last = np.maximum(first, ranges.start), np.minimum(last, ranges.stop)
        active &= (last - first < ranges.stop - ranges.start) & (last > first)
        if not active.any():
            break
        first = np.where(active, first, ranges.start)
        last = np.where(active, last, ranges.stop)
        ranges = ranges.narrowed(flat, first, last)
        median = ranges.median(flat)
        mean, deviation = ranges.mean_and_deviation()
        corrected = deviation * _clipping_bias(deviation, limit)
        sigma = np.where(active, corrected, sigma)
    straight = np.abs(mean - median) < SKEWED * sigma
    return np.where(straight, 2.5 * median - 1.5 * mean, median), sigma


def _clipping_bias(deviation: Floats, limit: Floats) -> Floats:
    """Return the true sigma over the ``deviation`` of what lies within +-``limit``."""
    none = np.zeros_like(limit)
    ratio = np.divide(deviation, limit, out=none, where=limit > 0)
    bias: Floats = np.interp(ratio, *_bias_table())
    return bias


@lru_cache(maxsize=1)
def _bias_table() -> tuple[Floats, Floats]:
    """Clipped sigma over limit, ascending, and true sigma over clipped sigma.

    With t = limit / sigma the clipped variance is
    sigma^2 (1 - t sqrt(2 / pi) exp(-t^2 / 2) / erf(t / sqrt(2))).
    """
    limits = np.linspace(12.0, 0.05, 20_000)
    erf = np.array([math.erf(t / math.sqrt(2)) for t in limits])
    lost = limits * math.sqrt(2 / math.pi) * np.exp(-(limits**2) / 2) / erf
    clipped = np.sqrt(1 - lost)
    return clipped / limits, 1 / clipped
