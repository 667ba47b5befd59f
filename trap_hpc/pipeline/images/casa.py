"""CASA image tables, through python-casacore (an optional dependency).

A table's coordinates are put into the words of a FITS header, so that both kinds of
image obey the same rules. Any telescope will do, unlike in TraP, which knows four.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from trap_hpc.errors import ImageError
from trap_hpc.pipeline.images.axes import places
from trap_hpc.pipeline.images.cards import Cards
from trap_hpc.pipeline.images.casa_cards import cards_of
from trap_hpc.pipeline.images.casa_lofar import lofar_cards
from trap_hpc.pipeline.images.casa_tables import opened_table
from trap_hpc.pipeline.images.header import Contents, contents_of
from trap_hpc.pipeline.images.image import Pixels, Plane
from trap_hpc.pipeline.images.kinds import is_table

_PIXELS = "map"
_MASK = "PagedArray"
"""Columns of an image and of its mask."""


def contents(path: str) -> Contents:
    """Read the coordinates of a CASA image, no pixels."""
    with _opened(path) as table:
        return _contents(table, path)


def read(path: str, address: str, index: int) -> tuple[Plane, Pixels]:
    """Read one plane; pixels that the image's own mask takes out are NaN."""
    with _opened(path) as table:
        found = _contents(table, path)
        plane = found.plane(address, index)
        # casacore turns the order of the axes round for numpy.
        corner = places(found.axes, index)[::-1]
        stored = _slice(table, _PIXELS, corner)
        pixels = stored.astype("f8" if stored.dtype.itemsize > 4 else "f4")
        mask = str(table.getkeywords().get("Image_defaultmask", ""))
    if mask:
        with _opened(os.path.join(path, mask)) as table:
            pixels[~_slice(table, _MASK, corner)] = np.nan
    return plane, np.ascontiguousarray(pixels)


@contextmanager
def _opened(path: str) -> Iterator[Any]:
    if not is_table(path):
        raise ImageError("it is a folder, but not a CASA image")
    try:
        with opened_table(path) as table:
            yield table
    except ImportError as error:
        raise ImageError(
            "it is a CASA image, and reading one needs python-casacore: "
            'pip install "trap-hpc[casa]"'
        ) from error


def _contents(table: Any, path: str) -> Contents:
    if _PIXELS not in table.colnames() or not table.nrows():
        raise ImageError("it is a CASA table, but not an image")
    if table.coldatatype(_PIXELS) not in ("float", "double"):
        raise ImageError("its pixels are not real numbers")
    keywords = table.getkeywords()
    cards = cards_of(keywords, _shape(table))
    if cards.get("TELESCOP") == "LOFAR" and "ATTRGROUPS" in keywords:
        cards |= lofar_cards(path, keywords["ATTRGROUPS"])
    return contents_of(Cards(cards), path)


def _shape(table: Any) -> list[int]:
    """Return the lengths of the axes, x first."""
    shape: list[int] = json.loads(table.getcolshapestring(_PIXELS)[0])
    return shape[::-1]


def _slice(table: Any, column: str, corner: list[int]) -> Any:
    """Cut one plane, [y, x], out of a cell."""
    ny, nx = json.loads(table.getcolshapestring(column)[0])[-2:]
    start, end = [*corner, 0, 0], [*corner, ny - 1, nx - 1]
    return table.getcellslice(column, 0, start, end).reshape(ny, nx)
