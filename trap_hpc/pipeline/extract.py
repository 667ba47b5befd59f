"""Blind extraction: the sources of one image, wherever they are."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from trap_hpc.config.parameters import SourceExtraction
from trap_hpc.pipeline.finder.background import Cleared
from trap_hpc.pipeline.finder.columns import either, only, put
from trap_hpc.pipeline.finder.deblending import deblend
from trap_hpc.pipeline.finder.field import Booleans, Field
from trap_hpc.pipeline.finder.fitting import fit, model
from trap_hpc.pipeline.finder.gaussians import Beam, Gaussians
from trap_hpc.pipeline.finder.islands import Islands, find_islands
from trap_hpc.pipeline.finder.moments import moments
from trap_hpc.pipeline.finder.rows import Goodness, extracted_rows, is_sound
from trap_hpc.pipeline.finder.sky import on_the_sky
from trap_hpc.pipeline.finder.uncertainties import Photometry, of_fits, of_moments
from trap_hpc.pipeline.images import Projection
from trap_hpc.pipeline.records import EXTRACTED, Floats, Rows, no_rows

EXTENT_TO_FIT = 3
"""Pixels from first to last column, and row, of the smallest island to be fitted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """Islands with a Gaussian for each. ``fitted`` is False where it is by moments."""

    islands: Islands
    sources: Gaussians
    fitted: Booleans


def extract(
    cleared: Cleared, beam: Beam, sky: Projection, parameters: SourceExtraction
) -> Rows:
    """Find the sources of an image and measure them.

    Parameters
    ----------
    cleared
        The searched part of the image, its background taken away.
    beam, sky
        The restoring beam in pixels, and the projection of the image.
    parameters
        ``[source_extraction]``.

    Returns
    -------
    Rows
        EXTRACTED rows. Their order is that of the islands' first pixels, column by
        column, as in TraP's table.
    """
    islands = find_islands(cleared, parameters)
    if parameters.deblend_nthresh > 0:
        islands = deblend(islands, parameters)
    if not islands.starts.size:
        return no_rows(EXTRACTED)
    shaped = _shaped_as_beam if parameters.force_beam else _shaped_freely
    found = shaped(islands, beam)
    photometry = _photometry(found, beam)
    field = cleared.field
    in_image = found.sources.shifted(field.x0, field.y0)
    rows = extracted_rows(
        on_the_sky(in_image, photometry, sky),
        photometry,
        _goodness(found, photometry.peak, beam),
        found.fitted,
        parameters,
    )
    sound: Rows = rows[is_sound(rows) & _is_inside(found.sources, field)]
    return sound


def _is_wide(islands: Islands) -> Booleans:
    """Which islands have enough pixels in x and in y for a fit."""
    extents = islands.extent(islands.pixels.x), islands.extent(islands.pixels.y)
    wide: Booleans = np.minimum(*extents) >= EXTENT_TO_FIT
    return wide


def _shaped_as_beam(islands: Islands, beam: Beam) -> _Found:
    """Fit peaks and positions. What is too small is dropped, and a fit that fails."""
    islands = islands.only(_is_wide(islands))
    sources, fitted = fit(islands, moments(islands, beam), beam)
    return _Found(
        islands=islands.only(fitted),
        sources=only(sources, fitted),
        fitted=fitted[fitted],
    )


def _shaped_freely(islands: Islands, beam: Beam) -> _Found:
    """Fit all parameters. Moments serve where it is too small, and if a fit fails."""
    by_moments = moments(islands, beam)
    wide = _is_wide(islands)
    fits, converged = fit(islands.only(wide), only(by_moments, wide), None)
    fitted = wide.copy()
    fitted[wide] = converged
    sources = put(by_moments, fitted, only(fits, converged))
    return _Found(islands=islands, sources=sources, fitted=fitted)


def _photometry(found: _Found, beam: Beam) -> Photometry:
    """Fluxes and errors, with the noise at the brightest pixel."""
    islands, sources = found.islands, found.sources
    noise = islands.at_peak(islands.pixels.noise)
    fits = of_fits(sources, noise, beam)
    if found.fitted.all():
        return fits
    threshold = islands.at_peak(islands.pixels.threshold)
    return either(found.fitted, fits, of_moments(sources, threshold, noise, beam))


def _goodness(found: _Found, peak: Floats, beam: Beam) -> Goodness:
    """Compare the islands with their Gaussians, which have the corrected ``peak``."""
    islands = found.islands
    corrected = replace(found.sources, peak=peak)
    noise = islands.spread(islands.at_peak(islands.pixels.noise))
    chisq = islands.total(
        ((islands.pixels.signal - model(corrected, islands)) / noise) ** 2
    )
    return Goodness(
        det_sigma=islands.largest(islands.pixels.signal / islands.pixels.noise),
        chisq=chisq,
        reduced_chisq=chisq * beam.area / islands.counts,
    )


def _is_inside(sources: Gaussians, field: Field) -> Booleans:
    """Whether both ends of both axes have none but usable pixels around them."""
    cos, sin = np.cos(sources.theta), np.sin(sources.theta)
    major, minor = sources.semimajor, sources.semiminor
    x = sources.x + np.array([-major * sin, major * sin, minor * cos, -minor * cos])
    y = sources.y + np.array([major * cos, -major * cos, minor * sin, -minor * sin])
    inside = np.ones(x.shape, dtype=bool)
    for column in (np.floor(x), np.ceil(x)):
        for row in (np.floor(y), np.ceil(y)):
            inside &= field.is_usable(column, row)
    both_ends: Booleans = np.logical_and.reduce(inside)
    return both_ends
