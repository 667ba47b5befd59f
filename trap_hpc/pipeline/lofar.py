"""What the quality checks know of LOFAR: its theoretical noise and its bright sources.

The noise follows ASTRON's "Sensitivity of the LOFAR array" and SKA memo 113 (Nijboer,
Pandey-Pommier & de Bruyn 2009), as TraP works it out.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from trap_hpc.config.environment import astropy_offline
from trap_hpc.pipeline.records import Floats, Header

if TYPE_CHECKING:
    from trap_hpc.pipeline.images import LofarHeader

SPEED_OF_LIGHT = 299_792_458.0
BOLTZMANN = 1.380649e-23
JANSKY = 1e-26
LBA_WAVELENGTH = 3.0
"""Metres; longer waves are received by low-band antennas."""
DIPOLES_OF_A_TILE = 16
TILES = (24, 48, 96)
"""Of a core, a remote and an international station."""
BRIGHT_SOURCES = {
    "CasA": (6.123487680622104, 1.0265153995604648),
    "CygA": (5.233686575770755, 0.7109409582180791),
    "TauA": (1.4596748493730913, 0.38422502335921294),
    "HerA": (4.4119087330382163, 0.087135562905816893),
    "VirA": (3.276086511413598, 0.21626589533567378),
}
"""Right ascension and declination (J2000, radians)."""
BRIGHT_BODIES = {"SUN": "sun", "JUPITER": "jupiter"}

# Metres from each dipole of a station's inner and outer half to its nearest neighbour.
_CORE_INNER = """
2.55 2.55 2.55 2.55 2.55 2.55 2.55 3.6 3.34 3.26 3.49 3.19 3.19 3.51 3.42 3.18 3.59
3.66 4.32 3.23 3.23 3.38 3.49 3.19 3.89 3.4 3.51 3.49 4.12 3.82 3.13 3.13 2.99 2.99
3.32 3.38 3.36 3.36 4.75 2.79 2.79 3.4 4.15 3.98 3.98 4.49 27.04 27.48"""
_CORE_OUTER = """
3.07 3.07 6.27 4.14 4.39 5.36 5.03 7.17 4.92 5.01 4.59 8.19 6.2 6.27 6.27 6 4.14 4.39
7.84 8.14 7.38 7.17 9.36 5.8 9.83 7.08 7.34 7.4 6 10.25 9.37 8.83 8.64 5.27 7.66 8.23
8.23 6.72 5.8 6.28 11.06 7.4 10.8 10.81 8.64 5.27 7.66 9.06"""
_REMOTE_INNER = """
2.55 2.55 2.55 2.55 2.55 2.55 2.55 3.51 3.51 3.18 3.48 3.19 3.25 3.43 3.48 3.18 3.58
3.66 4.32 3.23 3.23 3.38 3.5 3.19 3.89 3.39 3.51 3.49 4.12 3.82 3.12 3.12 2.99 2.99
3.32 3.38 3.36 3.36 4.75 2.79 2.79 3.39 4.15 3.99 3.99 4.49 21.02 19.6"""
_REMOTE_OUTER = """
3.07 3.07 6.27 4.14 4.39 5.36 5.03 7.18 4.92 5.01 4.59 8.19 6.19 6.27 6.27 6 4.14 4.39
7.84 8.14 7.38 7.18 9.36 5.8 9.83 7.08 7.34 7.4 6 10.25 9.37 8.83 8.64 5.28 7.66 8.23
8.23 6.72 5.8 6.28 11.06 7.4 10.8 10.81 8.64 5.28 7.66 9.06"""
_INTERNATIONAL = """
3.55 3.41 3.87 3.41 5.61 4.52 4.96 4.96 3.81 4.03 4.03 4.15 3.41 3.42 3.42 3.42 3.54
3.46 3.87 4.68 5.3 5.54 5.17 5.77 3.62 3.94 4.07 4.07 3.92 3.92 5.65 6 3.91 3.49 6.5
6.5 3.52 3.48 3.71 3.71 4.74 4.31 7.99 7.03 3.56 3.7 3.5 4.15 4.34 4.1 4.98 3.49 3.25
6.69 3.61 3.41 6.92 3.85 3.94 6.85 4.07 3.85 4.31 3.41 3.54 3.48 3.42 4.22 3.35 3.35
3.47 4.74 3.7 4.36 3.54 3.61 3.54 4.15 3.81 5.98 4.77 4.34 3.87 3.63 5.17 3.52 7.21
3.42 3.41 7.75 3.48 3.25 4.95 3.47 3.5 3.42"""


def theoretical_noise(header: Header, lofar: LofarHeader) -> float:
    """Noise (Jy/beam) that an image of these stations should have at best.

    TraP's formula, with its term of the baselines between remote stations, in which
    the sensitivity of a core station stands in for one of the two.
    """
    core, remote, intl = (
        _station_sensitivity(header.freq_eff_hz, area)
        for area in _effective_areas(header.freq_eff_hz, lofar.antenna_set)
    )
    n_core, n_remote, n_intl = lofar.ncore, lofar.nremote, lofar.nintl
    weight = (
        n_core * (n_core - 1) / 2 / core**2
        + n_remote * (n_remote - 1) / 2 / (remote * core)
        + n_intl * (n_intl - 1) / 2 / intl**2
        + n_core * n_remote / (core * remote)
        + n_core * n_intl / (core * intl)
        + n_remote * n_intl / (remote * intl)
    )
    product = 4 * header.freq_bw_hz * header.tau_time_s * weight
    return 1 / math.sqrt(product) if product > 0 else math.inf


def _effective_areas(freq_hz: float, antenna_set: str) -> Iterator[float]:
    """Yield the area (m^2) of a core, a remote and an international station."""
    wavelength = SPEED_OF_LIGHT / freq_hz
    if antenna_set.startswith("LBA"):
        for distances in _dipole_distances(antenna_set):
            own = np.pi * distances**2 / 4
            yield float(np.minimum(wavelength**2 / 3, own).sum())
    else:
        for tiles in TILES:
            yield min(wavelength**2 / 3, 1.5625) * DIPOLES_OF_A_TILE * tiles


def _dipole_distances(antenna_set: str) -> Iterator[Floats]:
    """Distances of the dipoles in use, for the three kinds of station."""
    for inner_text, outer_text in (
        (_CORE_INNER, _CORE_OUTER),
        (_REMOTE_INNER, _REMOTE_OUTER),
    ):
        inner, outer = (
            np.array(text.split(), float) for text in (inner_text, outer_text)
        )
        even = np.arange(inner.size) % 2 == 0
        match antenna_set.removeprefix("LBA_"):
            case "INNER" | "X":
                yield inner
            case "OUTER" | "Y":
                yield outer
            case "SPARSE" | "SPARSE0" | "SPARSE_EVEN":
                yield np.where(even, inner, outer)
            case "SPARSE1" | "SPARSE_ODD":
                yield np.where(even, outer, inner)
            case _:
                yield np.concatenate([inner, outer])
    yield np.array(_INTERNATIONAL.split(), float)


def _station_sensitivity(freq_hz: float, area_m2: float) -> float:
    """System equivalent flux density (Jy) of a station."""
    t_sky: float = 60 * (SPEED_OF_LIGHT / freq_hz) ** 2.55
    of_sky = np.array([0, 0.1, 0.7, 0.85, 0.9, 0.85, 0.6, 0.3, 0, 0, 0, 0]) * t_sky
    constant = np.array([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 200, 200])
    at_mhz = [0, 10, 40, 50, 55, 60, 70, 80, 90, 110, 120, 300]
    t_instrument = float(np.interp(freq_hz / 1e6, at_mhz, of_sky + constant))
    sensitivity = 2 * BOLTZMANN * (t_sky + t_instrument) / area_m2
    return sensitivity / JANSKY


def bright_source_near(header: Header, min_separation_deg: float) -> str | None:
    """Say which of the sky's brightest sources is nearer to the centre than allowed."""
    for name, (ra, decl) in _bright_sources(header.taustart_us):
        separation = _separation_deg(header, ra, decl)
        if separation < min_separation_deg:
            return f"Pointing is {separation} degrees from {name}."
    return None


def _bright_sources(time_us: int) -> Iterator[tuple[str, tuple[float, float]]]:
    yield from BRIGHT_SOURCES.items()
    # Few images are LOFAR's: the others needn't wait for this import.
    from astropy.coordinates import get_body
    from astropy.time import Time

    astropy_offline()
    with warnings.catch_warnings():
        # Leap seconds of the far future are not known; a body doesn't move in one.
        warnings.simplefilter("ignore")
        when = Time(time_us / 1e6, format="unix", scale="utc")
        places = [
            get_body(b, when, ephemeris="builtin") for b in BRIGHT_BODIES.values()
        ]
    for name, place in zip(BRIGHT_BODIES, places, strict=True):
        yield name, (float(place.ra.rad), float(place.dec.rad))


def _separation_deg(header: Header, ra: float, decl: float) -> float:
    """Angle between the centre of an image and a position in radians."""
    centre_ra = math.radians(header.centre_ra_deg)
    centre_decl = math.radians(header.centre_decl_deg)
    sines = math.sin(centre_decl) * math.sin(decl)
    cosines = math.cos(centre_decl) * math.cos(decl) * math.cos(centre_ra - ra)
    return math.degrees(math.acos(max(-1.0, min(1.0, sines + cosines))))
