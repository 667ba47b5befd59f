"""Pixels to sky positions and back, by wcslib."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from astropy import wcs

from trap_hpc.pipeline.records import Floats

_EPSILON = float(np.finfo(float).eps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """A celestial coordinate system: the cards of its header, in degrees.

    Positions are those of the image's own system and equinox, as in TraP.
    """

    ctype: tuple[str, str]
    """``("RA---SIN", "DEC--SIN")``: any projection that wcslib knows."""
    crval: tuple[float, float]
    crpix: tuple[float, float]
    """1-based, as in the header."""
    cdelt: tuple[float, float]
    pc: tuple[float, float, float, float] = (1.0, 0.0, 0.0, 1.0)
    """PC1_1, PC1_2, PC2_1, PC2_2."""
    lonpole: float | None = None
    latpole: float | None = None
    pv: tuple[tuple[int, int, float], ...] = ()
    """(axis, number, value) of the projection's parameters."""

    def to_sky(self, x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[Floats, Floats]:
        """Right ascension [0, 360) and declination of 0-based pixels, in degrees.

        NaN where a pixel isn't on the sky. Arrays or numbers; shapes are kept.
        """
        ra, decl = _wcs(self).wcs_pix2world(x, y, 0)
        return np.mod(ra, 360.0), np.asarray(decl, float)

    def to_pixel(self, ra: npt.ArrayLike, decl: npt.ArrayLike) -> tuple[Floats, Floats]:
        """0-based pixel coordinates of sky positions in degrees.

        NaN where a position isn't in the projection.
        """
        x, y = _wcs(self).wcs_world2pix(ra, decl, 0)
        return np.asarray(x, float), np.asarray(y, float)

    def cards(self) -> list[Any]:
        """All cards as plain values: equal systems give equal lists."""
        return [
            list(item) if isinstance(item, tuple) else item for item in astuple(self)
        ]


@lru_cache(maxsize=64)
def _wcs(sky: Projection) -> Any:
    """Build wcslib's form of it. Images of one pointing share it."""
    result = wcs.WCS(naxis=2)
    result.wcs.ctype = sky.ctype
    result.wcs.cunit = "deg", "deg"
    result.wcs.crpix = sky.crpix
    result.wcs.crval = sky.crval[0], _off_the_pole(sky)
    result.wcs.cdelt = sky.cdelt
    result.wcs.pc = np.reshape(sky.pc, (2, 2))
    if sky.lonpole is not None:
        result.wcs.lonpole = sky.lonpole
    if sky.latpole is not None:
        result.wcs.latpole = sky.latpole
    result.wcs.set_pv(list(sky.pv))
    # Turns the NCP and GLS of AIPS into what wcslib computes with.
    result.wcs.fix()
    result.wcs.set()
    return result


def _off_the_pole(sky: Projection) -> float:
    """Return the reference declination, a hair south of the pole if it is at the pole.

    There the default of LONPOLE jumps by 180 degrees, while images of the pole are
    made as if it did not.
    """
    decl = sky.crval[1]
    return decl * (1 - _EPSILON) if decl == 90 and sky.lonpole is None else decl
