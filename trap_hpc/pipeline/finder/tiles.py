"""Background level and noise of the tiles of an image, by kappa-sigma clipping."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from trap_hpc.pipeline.finder.field import Pixels
from trap_hpc.pipeline.records import Floats, Integers

KAPPA = 2.0
SKEWED = 0.3
"""Pearson's (mean - median) / sigma above which a tile's mode is not extrapolated."""
MAX_CLIPS = 100
REACH = 3.0
"""In first sigmas: more than ``KAPPA``, so that the first clip takes what lies here."""


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
        level[useful], noise[useful] = _clipped(ordered[useful])
    return level, noise


def _clipped(ordered: Pixels) -> tuple[Floats, Floats]:
    """`level_and_noise` of rows in ascending order, each with a pixel at least."""
    count, size = ordered.shape
    start = np.arange(count) * size
    stop = start + _filled(ordered)
    origin = _median(ordered.ravel(), start, stop).astype(np.float64)
    offsets = ordered - origin[:, None]
    scale = np.sqrt(_whole_variance(offsets, start, stop))
    scale[scale == 0] = 1.0
    offsets /= scale[:, None]
    mode, sigma = _clip(np.clip(offsets, -REACH, REACH), start, stop)
    return origin + scale * mode, scale * sigma


def _filled(ordered: Pixels) -> Integers:
    """How many pixels each row has."""
    counts = np.full(len(ordered), ordered.shape[1])
    short = np.flatnonzero(np.isinf(ordered[:, -1]))
    counts[short] = (ordered[short] < np.inf).sum(axis=1)
    return counts


def _whole_variance(offsets: Floats, start: Integers, stop: Integers) -> Floats:
    """Variance of the pixels of each row."""
    # reduceat sums from each bound to the next: every second sum is that of a row.
    bounds = np.stack([start, stop], axis=1).ravel()[: 2 * start.size - 1]
    flat = offsets.ravel()[: stop[-1]]
    mean, square = (
        np.add.reduceat(values, bounds)[::2] / (stop - start)
        for values in (flat, flat * flat)
    )
    variance: Floats = np.maximum(square - mean * mean, 0.0)
    return variance


def _clip(values: Floats, start: Integers, stop: Integers) -> tuple[Floats, Floats]:
    """Clip the rows of ``values``, which begin with a sigma of 1; modes and sigmas.

    What clipping leaves of a row is a range of it, ``start`` to ``stop``. Each row gets
    a stretch of one common axis, so that one search finds the new ranges of all.
    """
    flat = values.ravel()
    sums = _running_sums(flat)
    stretch = np.arange(start.size) * 4 * REACH
    axis = (values + stretch[:, None]).ravel()
    sigma = np.ones(start.size)
    median, mean = np.zeros((2, start.size))
    active = np.ones(start.size, dtype=bool)
    for _ in range(MAX_CLIPS):
        limit = KAPPA * sigma
        low, high = (np.clip(median + s * limit, -REACH, REACH) for s in (-1, 1))
        first = np.maximum(np.searchsorted(axis, stretch + low, "left"), start)
        last = np.minimum(np.searchsorted(axis, stretch + high, "right"), stop)
        active &= ((first > start) | (last < stop)) & (last > first)
        if not active.any():
            break
        start = np.where(active, first, start)
        stop = np.where(active, last, stop)
        median = _median(flat, start, stop)
        moments = (sums[stop] - sums[start]) / (stop - start)
        mean = moments.real
        deviation = np.sqrt(np.maximum(moments.imag - mean * mean, 0.0))
        sigma = np.where(active, deviation * _clipping_bias(deviation / limit), sigma)
    straight = np.abs(mean - median) < SKEWED * sigma
    return np.where(straight, 2.5 * median - 1.5 * mean, median), sigma


def _running_sums(flat: Floats) -> npt.NDArray[np.complex128]:
    """Sum ``flat`` up to each element (real) and of its squares (imaginary)."""
    # One sum waits for the one before it: the two go together in one pass.
    sums = np.zeros(flat.size + 1, dtype=np.complex128)
    sums.real[1:] = flat
    sums.imag[1:] = flat * flat
    return np.add.accumulate(sums, out=sums)


def _median(values: npt.NDArray[Any], start: Integers, stop: Integers) -> Any:
    """Median of the ranges ``start`` to ``stop``, each in ascending order."""
    return 0.5 * (values[(start + stop - 1) // 2] + values[(start + stop) // 2])


def _clipping_bias(ratio: Floats) -> Floats:
    """Return true sigma over clipped sigma, from the latter over the limit L."""
    bias: Floats = np.interp(ratio, *_bias_table())
    return bias


@lru_cache(maxsize=1)
def _bias_table() -> tuple[Floats, Floats]:
    """Clipped sigma over L, ascending, and true sigma over clipped sigma.

    With t = L / sigma the clipped variance is
    sigma^2 (1 - t sqrt(2 / pi) exp(-t^2 / 2) / erf(t / sqrt(2))).
    """
    limits = np.linspace(12.0, 0.05, 20_000)
    erf = np.array([math.erf(t / math.sqrt(2)) for t in limits])
    lost = limits * math.sqrt(2 / math.pi) * np.exp(-(limits**2) / 2) / erf
    clipped = np.sqrt(1 - lost)
    return clipped / limits, 1 / clipped
