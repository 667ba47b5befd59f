"""The celestial coordinates of a header, and the size of its pixels."""

from __future__ import annotations

import math

from trap_hpc.errors import ImageError
from trap_hpc.pipeline.images.cards import Cards
from trap_hpc.pipeline.images.projection import Projection

_DEGREES = {
    "": 1.0,
    "deg": 1.0,
    "degree": 1.0,
    "degrees": 1.0,
    "arcmin": 1 / 60,
    "'": 1 / 60,
    "arcsec": 1 / 3600,
    '"': 1 / 3600,
    "rad": math.degrees(1.0),
    "radian": math.degrees(1.0),
}
"""Degrees in a CUNIT. Without one the standard asks for degrees."""

_SQUARE_TO_DEG = 1e-7
"""TraP's limit for the difference between a pixel's sides."""

_ABSURD_PIXEL_DEG = 90.0

Matrix = tuple[float, float, float, float]
"""Row by row."""


def sky_of(cards: Cards) -> Projection:
    """Read the coordinate system of axes 1 and 2: right ascension and declination."""
    unit = _unit(cards)
    crval = _needed(cards, "CRVAL1") * unit, _needed(cards, "CRVAL2") * unit
    if abs(crval[0]) > 360 or abs(crval[1]) > 90:
        raise ImageError(f"CRVAL1 and CRVAL2, {crval}, are not a position on the sky")
    cdelt, pc = _scale(cards, unit)
    return Projection(
        ctype=_types(cards),
        crval=crval,
        crpix=(_needed(cards, "CRPIX1"), _needed(cards, "CRPIX2")),
        cdelt=cdelt,
        pc=pc,
        lonpole=cards.number("LONPOLE"),
        latpole=cards.number("LATPOLE"),
        pv=_parameters(cards),
    )


def pixel_size_deg(sky: Projection) -> tuple[float, float]:
    """Sides of a pixel with the signs of CDELT. Pixels that aren't square are refused.

    Sizes of beams, search radii and the extraction circle all rest on one scale.
    """
    (dx, dy), (a, b, c, d) = sky.cdelt, sky.pc
    width, height = math.hypot(dx * a, dy * c), math.hypot(dx * b, dy * d)
    if not 0 < min(width, height) <= max(width, height) < _ABSURD_PIXEL_DEG:
        raise ImageError(f"a pixel of {width:g} x {height:g} degrees makes no sense")
    area = abs(dx * dy * (a * d - b * c))
    skewed = abs(area - width * height) > 1e-6 * width * height
    if skewed or abs(width - height) > _SQUARE_TO_DEG:
        raise ImageError(
            f"its pixels are not square ({width:.9g} x {height:.9g} degrees"
            f"{', skewed' if skewed else ''}): regrid the image to square pixels"
        )
    return math.copysign(width, dx), math.copysign(height, dy)


def _needed(cards: Cards, key: str) -> float:
    value = cards.number(key)
    if value is None:
        raise ImageError(
            f"it has no celestial coordinates: {key} is missing in its header"
        )
    return value


def _types(cards: Cards) -> tuple[str, str]:
    first, second = (cards.text(f"CTYPE{axis}").upper() for axis in (1, 2))
    if not (first.startswith("RA--") and second.startswith("DEC-")):
        raise ImageError(
            "its first two axes must be right ascension and declination; CTYPE1 and "
            f"CTYPE2 are {first!r} and {second!r}"
        )
    return first, second


def _unit(cards: Cards) -> float:
    first, second = (cards.text(f"CUNIT{axis}").lower() for axis in (1, 2))
    if first != second or first not in _DEGREES:
        raise ImageError(
            "the units of its coordinates must be degrees or radians; CUNIT1 and "
            f"CUNIT2 are {first!r} and {second!r}"
        )
    return _DEGREES[first]


def _scale(cards: Cards, unit: float) -> tuple[tuple[float, float], Matrix]:
    """CDELT in degrees and the rotation, from CDELT with PC or CROTA2, or from CD."""
    if "CDELT1" not in cards and "CD1_1" in cards:
        return _from_cd(cards, unit)
    cdelt = _needed(cards, "CDELT1") * unit, _needed(cards, "CDELT2") * unit
    if 0 in cdelt:
        raise ImageError("CDELT1 or CDELT2 in its header is zero")
    return cdelt, _rotation(cards, cdelt)


def _from_cd(cards: Cards, unit: float) -> tuple[tuple[float, float], Matrix]:
    a, b, c, d = (cards.number_or(f"CD{n}", 0.0) * unit for n in _ELEMENTS)
    dx, dy = math.copysign(math.hypot(a, c), a), math.copysign(math.hypot(b, d), d)
    if 0 in (dx, dy):
        raise ImageError("the CD matrix in its header has a column of zeros")
    # Adding 0.0 makes a minus zero plain: the same matrix has the same hash.
    return (dx, dy), (a / dx, b / dx + 0.0, c / dy + 0.0, d / dy)


_ELEMENTS = "1_1", "1_2", "2_1", "2_2"
_OLD_ELEMENTS = "001001", "001002", "002001", "002002"


def _rotation(cards: Cards, cdelt: tuple[float, float]) -> Matrix:
    """Read the PC matrix, or CROTA2, its older form (FITS WCS paper II, 6)."""
    unity = 1.0, 0.0, 0.0, 1.0
    for elements in (_ELEMENTS, _OLD_ELEMENTS):
        if any(f"PC{n}" in cards for n in elements):
            a, b, c, d = (
                cards.number_or(f"PC{n}", default)
                for n, default in zip(elements, unity, strict=True)
            )
            return a, b, c, d
    angle = math.radians(cards.number_or("CROTA2", 0.0))
    if angle == 0:
        return unity
    sine, ratio = math.sin(angle), cdelt[1] / cdelt[0]
    return math.cos(angle), -sine * ratio, sine / ratio, math.cos(angle)


def _parameters(cards: Cards) -> tuple[tuple[int, int, float], ...]:
    """PV1_0 ... PV2_20: parameters of the projection."""
    names = [(axis, n, cards.number(f"PV{axis}_{n}")) for axis, n in _PV]
    return tuple((axis, n, value) for axis, n, value in names if value is not None)


_PV = [(1, n) for n in range(5)] + [(2, n) for n in range(21)]
