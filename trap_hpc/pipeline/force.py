"""Forced fits: the flux of an image at given places, whether a source shows or not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trap_hpc.config.parameters import SourceExtraction
from trap_hpc.pipeline.finder.background import Cleared
from trap_hpc.pipeline.finder.columns import joined, only
from trap_hpc.pipeline.finder.field import Booleans
from trap_hpc.pipeline.finder.gaussians import Beam, Gaussians, quadratic_form
from trap_hpc.pipeline.finder.rows import Goodness, extracted_rows, is_sound
from trap_hpc.pipeline.finder.sky import on_the_sky
from trap_hpc.pipeline.finder.uncertainties import of_fits
from trap_hpc.pipeline.images import Projection
from trap_hpc.pipeline.records import EXTRACTED, Floats, Integers, Rows

PIXELS_AT_ONCE = 100_000
"""Pixels of boxes that are worked on together, so that they stay in the cache."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Boxes:
    """Square pieces of a field: the pixel in the middle, and the profile's centre."""

    column: Integers
    row: Integers
    x: Floats
    y: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sums:
    """What a box tells of the signal d (Jy/beam), with the profile g of the beam."""

    profile_squared: Floats
    """Sum of g g over the usable pixels."""
    profile_signal: Floats
    """Sum of g d."""
    signal_squared: Floats
    """Sum of d d."""
    pixels: Floats
    """How many are usable."""
    det_sigma: Floats
    """The largest ratio of signal to noise."""


def force(
    cleared: Cleared,
    beam: Beam,
    sky: Projection,
    requests: Rows,
    parameters: SourceExtraction,
) -> Rows:
    """Fit the peak of a source with position and shape of the beam at each request.

    This fit is linear: the peak is sum(g d) / sum(g g) over the usable pixels of a box
    with signal d and beam profile g. The profile has its centre exactly at the request;
    with ``forced_fit_centre = "trap"`` where TraP has it, up to a pixel away.

    Parameters
    ----------
    cleared
        The searched part of the image, its background taken away.
    beam, sky
        The restoring beam in pixels, and the projection of the image.
    requests
        REQUEST rows.
    parameters
        ``[source_extraction]``.

    Returns
    -------
    Rows
        EXTRACTED rows, one for each request. A fit fails if its pixel or one that
        touches it is not usable, or if an error would be infinite: then all numbers
        but the position are NaN.
    """
    field = cleared.field
    x, y = sky.to_pixel(requests["ra"], requests["decl"])
    x, y = x - field.x0, y - field.y0
    possible = np.flatnonzero(_is_clear(x, y, cleared))
    rows = no_fits(requests)
    if possible.size:
        x, y = x[possible], y[possible]
        # A peak of exactly zero has errors without bounds, and fails for them.
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            fits = _fits(x, y, cleared, beam, sky, parameters)
        sound = is_sound(fits)
        rows[possible[sound]] = fits[sound]
    return rows


def _is_clear(x: Floats, y: Floats, cleared: Cleared) -> Booleans:
    """Whether the pixels at these places, and all that touch them, are usable."""
    column, row = np.floor(x), np.floor(y)
    clear = np.ones(x.shape, dtype=bool)
    for right in (-1, 0, 1):
        for up in (-1, 0, 1):
            clear &= cleared.field.is_usable(column + right, row + up)
    return clear


def no_fits(requests: Rows) -> Rows:
    """Return EXTRACTED rows of fits that have failed, one for each request."""
    rows = np.zeros(requests.size, EXTRACTED)
    for name in EXTRACTED.names or ():
        if name != "gaussian":
            rows[name] = np.nan
    rows["ra"], rows["decl"] = requests["ra"], requests["decl"]
    return rows


def _fits(
    x: Floats,
    y: Floats,
    cleared: Cleared,
    beam: Beam,
    sky: Projection,
    parameters: SourceExtraction,
) -> Rows:
    """Fit at pixels ``x``, ``y`` of the field, around which all is clear."""
    field = cleared.field
    sums = _sums(x, y, cleared, beam, parameters)
    noise = cleared.noise[y.astype(int), x.astype(int)].astype(np.float64)
    sources = Gaussians(
        peak=sums.profile_signal / sums.profile_squared,
        x=x + field.x0,
        y=y + field.y0,
        semimajor=np.full(x.size, beam.semimajor),
        semiminor=np.full(x.size, beam.semiminor),
        theta=np.full(x.size, beam.theta),
    )
    photometry = of_fits(sources, noise, beam)
    shape = on_the_sky(sources, photometry, sky)
    peak = photometry.peak
    squares = sums.signal_squared + peak * (
        peak * sums.profile_squared - 2 * sums.profile_signal
    )
    chisq = squares / noise**2
    goodness = Goodness(
        det_sigma=sums.det_sigma,
        chisq=chisq,
        reduced_chisq=chisq * beam.area / sums.pixels,
    )
    fitted = np.ones(x.size, dtype=bool)
    return extracted_rows(shape, photometry, goodness, fitted, parameters)


def _sums(
    x: Floats,
    y: Floats,
    cleared: Cleared,
    beam: Beam,
    parameters: SourceExtraction,
) -> _Sums:
    """Sum over the boxes about pixels ``x``, ``y`` of the field."""
    side = parameters.box_in_beampix * max(beam.semimajor, beam.semiminor)
    reach = int(side / 2)
    column, row = np.floor(x), np.floor(y)
    if parameters.forced_fit_centre == "trap":
        # TraP's box is an odd number of pixels wide, its model centred in ``side``.
        x, y = column - reach + side / 2, row - reach + side / 2
    boxes = _Boxes(column=column.astype(int), row=row.astype(int), x=x, y=y)
    step = max(1, PIXELS_AT_ONCE // (2 * reach + 1) ** 2)
    return joined(
        [
            _sums_at_once(
                only(boxes, np.s_[first : first + step]), reach, cleared, beam
            )
            for first in range(0, x.size, step)
        ]
    )


def _sums_at_once(boxes: _Boxes, reach: int, cleared: Cleared, beam: Beam) -> _Sums:
    """Sum over boxes that reach ``reach`` pixels from the one in their middle."""
    offsets = np.arange(-reach, reach + 1)
    columns = boxes.column[:, None, None] + offsets
    rows = boxes.row[:, None, None] + offsets[:, None]
    usable, signal, significance = _contents(columns, rows, cleared)
    dx, dy = columns - boxes.x[:, None, None], rows - boxes.y[:, None, None]
    a, b, c = quadratic_form(beam.semimajor, beam.semiminor, beam.theta)
    profile = np.exp(-(a * dx + 2 * b * dy) * dx - c * dy * dy) * usable
    return _Sums(
        profile_squared=(profile * profile).sum(axis=(1, 2)),
        profile_signal=(profile * signal).sum(axis=(1, 2)),
        signal_squared=(signal * signal).sum(axis=(1, 2)),
        pixels=usable.sum(axis=(1, 2)).astype(np.float64),
        det_sigma=significance.max(axis=(1, 2)),
    )


def _contents(
    columns: Integers, rows: Integers, cleared: Cleared
) -> tuple[Booleans, Floats, Floats]:
    """Cut boxes out: what is usable, the signal (else 0), and signal over noise."""
    height, width = cleared.signal.shape
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    place = rows.clip(0, height - 1), columns.clip(0, width - 1)
    usable = inside & cleared.field.usable[place]
    signal = np.where(usable, cleared.signal[place], 0.0).astype(np.float64)
    significance = np.where(usable, signal / cleared.noise[place], -np.inf)
    return usable, signal, significance
