"""The fluxes of sources, and the errors of what was measured of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trap_hpc.pipeline.finder.gaussians import (
    LN2,
    Beam,
    Gaussians,
    pixel_peak_statistics,
)
from trap_hpc.pipeline.records import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Photometry:
    """Fluxes of sources with one-sigma errors, and the errors of their positions."""

    peak: Floats
    """Jy/beam."""
    peak_err: Floats
    flux: Floats
    """Integrated, Jy."""
    flux_err: Floats
    x_err: Floats
    """Pixels."""
    y_err: Floats


def of_fits(sources: Gaussians, noise: Floats, beam: Beam) -> Photometry:
    """Fluxes and errors of fitted Gaussians (Condon 1997, PASP 109, 166, equation 41).

    The correlation lengths of the noise are the widths of ``beam`` (Hopkins et al.
    2003, AJ 125, 465), position errors sqrt(2) times Condon's, as in the NVSS (Condon
    et al. 1998, AJ 115, 1693, equation 25), and the peak is corrected for the gradient
    of the noise. ``noise`` (Jy/beam) is that at each source.
    """
    along = 1 + (beam.semimajor / sources.semimajor) ** 2
    across = 1 + (beam.semiminor / sources.semiminor) ** 2
    beams = sources.semimajor * sources.semiminor / (beam.semimajor * beam.semiminor)
    rho_squared = beams / 4 * along**0.5 * across**0.5 * (sources.peak / noise) ** 2
    rho_major, rho_minor, rho_peak = (
        np.sqrt(rho_squared * factor)
        for factor in (along**2, across**2, along * across)
    )
    peak = sources.peak - noise**2 / sources.peak
    peak_err = np.abs(peak) * np.sqrt(2) / rho_peak
    return _photometry(sources, peak, peak_err, rho_major, rho_minor, beam)


def of_moments(
    sources: Gaussians, threshold: Floats, noise: Floats, beam: Beam
) -> Photometry:
    """Fluxes and errors of sources measured by moments (Spreeuw 2010, equation 2.81).

    ``threshold`` (Jy/beam) is what the pixels of each source exceed.
    """
    beams = sources.semimajor * sources.semiminor / (beam.semimajor * beam.semiminor)
    mean_signal = (sources.peak - threshold) / np.log(sources.peak / threshold)
    rho = np.sqrt(4 * beams / LN2) * mean_signal / noise
    variance = pixel_peak_statistics(beam)[1]
    peak_err = np.sqrt(noise**2 + variance * sources.peak**2)
    return _photometry(sources, sources.peak, peak_err, rho, rho, beam)


def _photometry(
    sources: Gaussians,
    peak: Floats,
    peak_err: Floats,
    rho_major: Floats,
    rho_minor: Floats,
    beam: Beam,
) -> Photometry:
    """Work out what follows from the signal-to-noise along either axis."""
    major_err = sources.semimajor / rho_major * np.sqrt(2 / LN2)
    minor_err = sources.semiminor / rho_minor * np.sqrt(2 / LN2)
    cos, sin = np.cos(sources.theta), np.sin(sources.theta)
    beams = sources.semimajor * sources.semiminor / (beam.semimajor * beam.semiminor)
    flux = sources.peak * beams
    shape_variance = 2 / rho_major**2 + 2 / rho_minor**2
    relative_err = np.sqrt((peak_err / peak) ** 2 + shape_variance / beams)
    return Photometry(
        peak=peak,
        peak_err=peak_err,
        flux=flux,
        flux_err=np.abs(flux) * relative_err,
        x_err=np.hypot(major_err * sin, minor_err * cos),
        y_err=np.hypot(major_err * cos, minor_err * sin),
    )
