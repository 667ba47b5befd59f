"""The sky that is put into simulated images: places, kinds and fluxes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from trap_hpc.errors import UsageError
from trap_hpc.pipeline.images import Projection
from trap_hpc.pipeline.records import Floats

SCHEMA_VERSION = 1
NOISE_JY = 0.01
BMAJ_DEG, BMIN_DEG, BPA_DEG = 120 / 3600, 100 / 3600, 30.0
PIXEL_DEG = 20 / 3600
CENTRE_RA_DEG, CENTRE_DECL_DEG = 285.0, 20.0
START = datetime(2024, 3, 1)
FIRST_BAND_HZ, BAND_STEP_HZ, BANDWIDTH_HZ = 150e6, 15e6, 2e6

RADIUS = 250 / 512
"""Of the circle that is searched for sources, in units of the size: TraP's default."""
_EDGE_PIX = 18
"""How far inside of that circle, and of the image, sources stay."""
FWHM_PIX = BMAJ_DEG / PIXEL_DEG
_CONSTANT_SIGMA = 20.0, 200.0
_TRANSIENT_SIGMA = 50.0, 150.0
_VARIABLE_SIGMA = 80.0, 160.0
"""Peaks in units of the noise: of constant sources in their faintest band,
of transients when they are on, of variables on average."""
_SPECTRAL_INDEX = -1.2, 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueSource:
    """A source that was put into the images; point-like, so its peak is its flux."""

    id: int
    kind: str
    """``constant``, ``variable`` or ``transient``."""
    x: float
    y: float
    """0-based pixel coordinates."""
    ra_deg: float
    decl_deg: float
    flux_jy: list[list[float]]
    """By band, then by time step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What is in the images."""

    schema_version: int
    seed: int
    size: int
    noise_jy: float
    beam_deg: tuple[float, float, float]
    """Full widths at half maximum and position angle."""
    pixel_deg: float
    search_radius_pix: float
    """``extraction_radius_pix`` should be this (the default is for a size of 512)."""
    cadence_s: float
    freq_hz: list[float]
    files: list[str]
    """By time step, then by band."""
    sources: list[TrueSource]


def make_sources(
    rng: np.random.Generator, kinds: list[str], size: int, steps: int, freq_hz: Floats
) -> list[TrueSource]:
    """Draw a source of each of ``kinds`` for images of ``size`` pixels."""
    x, y = _positions(rng, len(kinds), size)
    ra, decl = projection(size).to_sky(x, y)
    return [
        TrueSource(
            id=n,
            kind=kind,
            x=float(x[n]),
            y=float(y[n]),
            ra_deg=float(ra[n]),
            decl_deg=float(decl[n]),
            flux_jy=_fluxes(rng, kind, steps, freq_hz).tolist(),
        )
        for n, kind in enumerate(kinds)
    ]


def _positions(
    rng: np.random.Generator, count: int, size: int
) -> tuple[Floats, Floats]:
    """Throw darts into the search circle; too near to another one, a dart is lost."""
    centre = (size - 1) / 2
    radius = min(RADIUS * size, centre - 10) - _EDGE_PIX
    apart = min(5 * FWHM_PIX, 0.7 * radius * math.sqrt(math.pi / max(count, 1)))
    if count > 1 and apart < 2 * FWHM_PIX:
        most = max(1, int(math.pi * (0.7 * radius / (2 * FWHM_PIX)) ** 2))
        raise UsageError(
            f"{count} sources would overlap in images of {size} pixels: at most "
            f"{most} fit"
        )
    x, y = np.empty(0), np.empty(0)
    while len(x) < count:
        dx, dy = rng.uniform(-radius, radius, 2)
        near = np.hypot(x - centre - dx, y - centre - dy) < apart
        if math.hypot(dx, dy) < radius and not near.any():
            x, y = np.append(x, centre + dx), np.append(y, centre + dy)
    return x, y


def _fluxes(rng: np.random.Generator, kind: str, steps: int, freq_hz: Floats) -> Floats:
    """Fluxes [band, step] of a power-law spectrum, 1 at its faintest, times a curve."""
    spectrum = (freq_hz / freq_hz[0]) ** rng.uniform(*_SPECTRAL_INDEX)
    curve = {"constant": _steady, "variable": _wave, "transient": _top_hat}[kind]
    return np.outer(spectrum / spectrum.min(), curve(rng, steps) * NOISE_JY)


def _steady(rng: np.random.Generator, steps: int) -> Floats:
    low, high = np.log(_CONSTANT_SIGMA)
    # A fifth more than the least, for noise must not make it fainter.
    return np.full(steps, 1.2 * np.exp(rng.uniform(low, high)))


def _wave(rng: np.random.Generator, steps: int) -> Floats:
    period, phase = rng.uniform(5, 15), rng.uniform(0, 2 * math.pi)
    wave: Floats = np.sin(2 * math.pi * np.arange(steps) / period + phase)
    return rng.uniform(*_VARIABLE_SIGMA) * (1 + 0.5 * wave)


def _top_hat(rng: np.random.Generator, steps: int) -> Floats:
    """Off for the first quarter at least, so that images without it come first."""
    earliest, duration = max(3, steps // 4), max(2, steps // 6)
    if steps < earliest + duration:
        raise UsageError(
            f"{steps} time steps are too few for transients: make 5 or more, or no "
            "transients"
        )
    start = rng.integers(earliest, steps - duration + 1)
    curve = np.zeros(steps)
    curve[start : start + duration] = rng.uniform(*_TRANSIENT_SIGMA)
    return curve


def projection(size: int) -> Projection:
    """Return the coordinates of images of this size: square pixels, SIN."""
    return Projection(
        ctype=("RA---SIN", "DEC--SIN"),
        crval=(CENTRE_RA_DEG, CENTRE_DECL_DEG),
        crpix=(size / 2 + 1, size / 2 + 1),
        cdelt=(-PIXEL_DEG, PIXEL_DEG),
    )
