"""The restoring beam of a header."""

from __future__ import annotations

import math
import re

from trap_hpc.errors import ImageError
from trap_hpc.pipeline.images.cards import Cards

_KEYS = "BMAJ", "BMIN", "BPA"
_VALUE = r"\s*=\s*([-+\d.eE]+)\s*"
_AIPS = re.compile("".join(key + _VALUE for key in _KEYS))
"""AIPS keeps the beam in HISTORY: CLEAN BMAJ= 1.1E-02 BMIN= 9.0E-03 BPA= 12.3."""


def beam_of(cards: Cards, deltax: float, deltay: float) -> tuple[float, float, float]:
    """Semi-major and semi-minor axis and position angle, in degrees.

    The axes go through pixels, as in TraP (``degrees2pixels``), for the same bits.
    """
    bmaj, bmin, bpa = _axes(cards)
    sine, cosine = math.sin(math.pi * bpa / 180.0), math.cos(math.pi * bpa / 180.0)
    x2, y2 = deltax**2, deltay**2
    smaj_pix = (bmaj / 2.0) * math.sqrt(sine**2 / x2 + cosine**2 / y2)
    smin_pix = (bmin / 2.0) * math.sqrt(cosine**2 / x2 + sine**2 / y2)
    pa = 180 * (math.pi * bpa / 180) / math.pi
    return smaj_pix * abs(deltax), smin_pix * abs(deltay), pa


def _axes(cards: Cards) -> tuple[float, float, float]:
    """BMAJ, BMIN and BPA, in degrees."""
    header = [cards.number(key) for key in _KEYS]
    beam = [value for value in header if value is not None]
    if len(beam) < len(_KEYS):
        beam = _from_history(cards)
    if not beam:
        missing = [k for k, value in zip(_KEYS, header, strict=True) if value is None]
        raise ImageError(
            f"its restoring beam is not known: {', '.join(missing)} missing in its "
            "header, and no beam in its HISTORY"
        )
    bmaj, bmin, bpa = beam
    if not (0 < bmin <= 360 and 0 < bmaj <= 360 and abs(bpa) <= 360):
        raise ImageError(f"a beam of {bmaj:g} x {bmin:g} degrees makes no sense")
    return bmaj, bmin, bpa


def _from_history(cards: Cards) -> list[float]:
    for line in cards.history():
        if match := _AIPS.search(line):
            return [float(value) for value in match.groups()]
    return []
