"""The shape of an island from the moments of its pixels."""

from __future__ import annotations

import numpy as np

from trap_hpc.pipeline.finder.gaussians import (
    LN2,
    Beam,
    Gaussians,
    pixel_peak_statistics,
)
from trap_hpc.pipeline.finder.islands import Islands
from trap_hpc.pipeline.records import Floats

THIN = 1e-9
"""Squared half width (pixels^2) below which an island is one pixel wide."""


def moments(islands: Islands, beam: Beam) -> Gaussians:
    """Estimate a Gaussian for each island, without a fit.

    The axes are corrected for the pixels that are missing, being below the threshold,
    and the peak for not lying in the middle of a pixel
    (Spreeuw 2010, equations 2.66 to 2.70). An island of one pixel, or of one pixel's
    width, gets the area of the beam.
    """
    peak = islands.largest(islands.pixels.signal) * pixel_peak_statistics(beam)[0]
    ratio = islands.at_peak(islands.pixels.threshold) / peak
    missing = 1.0 + np.log(ratio) * ratio / (1.0 - ratio)
    x, y, xx, yy, xy = _normalised_moments(islands)
    middle, half_range = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
    scale = 2 * LN2 / missing
    major, minor = scale * (middle + half_range), scale * (middle - half_range)
    round_area = beam.area / np.pi
    semimajor = np.sqrt(np.where(major > THIN, major, round_area))
    semiminor = np.where(
        minor > THIN, np.sqrt(np.maximum(minor, THIN)), round_area / semimajor
    )
    theta = 0.5 * np.arctan2(2 * xy, xx - yy) - np.pi / 2
    return Gaussians(
        peak=peak, x=x, y=y, semimajor=semimajor, semiminor=semiminor, theta=theta
    )


def _normalised_moments(islands: Islands) -> tuple[Floats, ...]:
    """Barycentre x, y and second central moments xx, yy, xy of each island."""
    # About the first pixel: far from the origin the second moments would cancel.
    first_x, first_y = (
        islands.pixels.x[islands.starts],
        islands.pixels.y[islands.starts],
    )
    dx = islands.pixels.x - islands.spread(first_x)
    dy = islands.pixels.y - islands.spread(first_y)
    weighted = islands.pixels.signal * np.array(
        [np.ones_like(dx), dx, dy, dx * dx, dy * dy, dx * dy]
    )
    total, *rest = islands.total(weighted)
    x, y, xx, yy, xy = (moment / total for moment in rest)
    return first_x + x, first_y + y, xx - x * x, yy - y * y, xy - x * y
