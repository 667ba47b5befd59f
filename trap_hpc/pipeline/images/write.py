"""Write an image as a FITS file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy.typing as npt
from astropy.io import fits

CardValue = str | int | float | bool


def write_fits(
    path: Path, pixels: npt.ArrayLike, cards: Mapping[str, CardValue]
) -> None:
    """Write pixels [..., y, x] and header cards; an existing file is replaced.

    SIMPLE, BITPIX and NAXIS follow from the pixels. Raises OSError.
    """
    fits.PrimaryHDU(pixels, fits.Header(cards)).writeto(path, overwrite=True)
