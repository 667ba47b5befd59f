"""The part of an image that is searched for sources."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from trap_hpc.config.parameters import SourceExtraction
from trap_hpc.errors import ImageError
from trap_hpc.pipeline.records import Floats

Pixels = npt.NDArray[np.floating[Any]]
Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """The smallest box around the usable pixels of an image.

    Arrays over it have the shape (ny, nx) of the box, whose first pixel is
    (``x0``, ``y0``) of the image.
    """

    x0: int
    y0: int
    pixels: Pixels
    usable: Booleans
    """Inside of the margin and of the extraction radius, and finite."""
    complete: bool
    """All pixels are finite, usable or not."""

    def is_usable(self, x: Floats, y: Floats) -> Booleans:
        """Whether the pixels at these whole numbers (in the field) are usable."""
        ny, nx = self.usable.shape
        there = (x >= 0) & (x < nx) & (y >= 0) & (y < ny)
        row, column = (np.where(there, v, 0).astype(np.int64) for v in (y, x))
        usable: Booleans = there & self.usable[row, column]
        return usable


def search_field(pixels: Pixels, parameters: SourceExtraction) -> Field | None:
    """Find the searched part of ``pixels`` (ny, nx); None if no pixel of it is usable.

    Raises
    ------
    ImageError
        The image is so small that the margin leaves nothing of it.
    """
    ny, nx = pixels.shape
    margin, radius = parameters.margin, parameters.extraction_radius_pix
    usable, (rows, columns) = _aperture(ny, nx, margin, radius)
    complete = bool(np.isfinite(pixels[rows, columns]).all())
    if not complete:
        usable = usable & np.isfinite(pixels)
        if not usable.any():
            return None
        rows, columns = _extent(usable)
    return Field(
        x0=columns.start,
        y0=rows.start,
        pixels=pixels[rows, columns],
        usable=usable[rows, columns],
        complete=complete,
    )


@lru_cache(maxsize=4)
def _aperture(
    ny: int, nx: int, margin: int, radius: float
) -> tuple[Booleans, tuple[slice, slice]]:
    """Pixels inside of the margin and nearer to the centre than ``radius``."""
    inside = np.zeros((ny, nx), dtype=bool)
    inside[margin : ny - margin, margin : nx - margin] = True
    if radius > 0:
        x, y = np.arange(nx) - (nx - 1) / 2, np.arange(ny) - (ny - 1) / 2
        inside &= (y * y)[:, None] + x * x < radius * radius
    if not inside.any():
        raise ImageError(
            f"the image has {nx} x {ny} pixels, of which margin = {margin} and "
            f"extraction_radius_pix = {radius:g} leave none; "
            "change these in [source_extraction]"
        )
    inside.flags.writeable = False
    return inside, _extent(inside)


def _extent(usable: Booleans) -> tuple[slice, slice]:
    """Return the rows and columns of the smallest box around the True elements."""
    rows, columns = (np.flatnonzero(usable.any(axis=axis)) for axis in (1, 0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
