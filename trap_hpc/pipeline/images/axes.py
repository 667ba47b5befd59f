"""The axes beyond the sky: frequency, time and polarisation make planes of a cube."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from trap_hpc.errors import ImageError
from trap_hpc.pipeline.images.cards import Cards

_KINDS = {
    "FREQ": "frequency",
    "STOKES": "stokes",
    "TIME": "time",
    "UTC": "time",
}
_UNITS = {
    "frequency": {"": 1.0, "hz": 1.0, "khz": 1e3, "mhz": 1e6, "ghz": 1e9},
    "time": {"": 1.0, "s": 1.0, "d": 86400.0, "day": 86400.0},
    "stokes": {},
}
"""Hz and seconds in the units of an axis."""
_CROSS = "RR", "LL", "RL", "LR", "XX", "YY", "XY", "YX"
STOKES = {1: "I", 2: "Q", 3: "U", 4: "V"} | dict(
    zip(range(-1, -9, -1), _CROSS, strict=True)
)
"""FITS standard 4.0, table 29."""
_MAX_AXES = 99


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """An axis of a cube, in Hz, seconds or codes of Stokes parameters."""

    name: str
    kind: str
    """``frequency``, ``time``, ``stokes`` or ``other``."""
    length: int
    start: float
    """World coordinate of the first plane."""
    step: float

    def value(self, index: int) -> float:
        """World coordinate of plane ``index``, 0-based."""
        return self.start + index * self.step


def lengths(cards: Cards) -> list[int]:
    """NAXIS1, NAXIS2 and so on; at least two, none of them zero."""
    dimensions = cards.count("NAXIS") or 0
    if dimensions > _MAX_AXES:
        raise ImageError(f"an image with {dimensions} axes makes no sense")
    result = [cards.count(f"NAXIS{n + 1}") or 0 for n in range(dimensions)]
    if len(result) < 2 or 0 in result:
        size = " x ".join(map(str, result)) or "nothing"
        raise ImageError(f"it holds no image: its size is {size}")
    return result


def axes_of(cards: Cards) -> list[Axis]:
    """Read the axes from the third on. One that isn't understood must have length 1."""
    return [
        _axis(cards, number, length)
        for number, length in enumerate(lengths(cards)[2:], start=3)
    ]


def count_of(axes: Sequence[Axis]) -> int:
    """Return the number of planes."""
    return math.prod(axis.length for axis in axes)


def places(axes: Sequence[Axis], plane: int) -> list[int]:
    """Return the index along each axis; the first varies fastest, as in the file."""
    result = []
    for axis in axes:
        plane, index = divmod(plane, axis.length)
        result.append(index)
    return result


def stokes_of(axes: Sequence[Axis], plane: int) -> str:
    """Name the polarisation of a plane; ``I`` if nothing is said of it."""
    for axis, index in zip(axes, places(axes, plane), strict=True):
        if axis.kind == "stokes":
            code = axis.value(index)
            return STOKES.get(round(code), f"code {code:g}")
    return "I"


def _axis(cards: Cards, number: int, length: int) -> Axis:
    name = cards.text(f"CTYPE{number}").upper()
    kind = _KINDS.get(name[:4] if name.startswith("FREQ-") else name, "other")
    # VOPT may hold a frequency (TraP takes it for one), but only if its unit says so.
    if name == "VOPT" and cards.text(f"CUNIT{number}").lower() == "hz":
        kind = "frequency"
    if kind == "other" and length > 1:
        raise ImageError(
            f"axis {number} ({name or 'without CTYPE'}, {length} planes) is not "
            "understood: only FREQ, TIME and STOKES axes can be longer than 1"
        )
    unit = _unit(cards, number, kind) if kind != "other" else 1.0
    step = cards.number_or(f"CDELT{number}", 1.0) * unit
    crval = cards.number_or(f"CRVAL{number}", 1.0 if kind == "stokes" else 0.0) * unit
    start = crval + (1.0 - cards.number_or(f"CRPIX{number}", 1.0)) * step
    if not math.isfinite(start + length * step):
        raise ImageError(f"the values on axis {number} ({name}) make no sense")
    return Axis(name=name, kind=kind, length=length, start=start, step=step)


def _unit(cards: Cards, number: int, kind: str) -> float:
    text = cards.text(f"CUNIT{number}").lower()
    if kind == "stokes":
        return 1.0
    if text not in _UNITS[kind]:
        raise ImageError(
            f"the unit of its {kind} axis, CUNIT{number} = {text!r}, is not one of "
            f"{', '.join(filter(None, _UNITS[kind]))}"
        )
    return _UNITS[kind][text]
