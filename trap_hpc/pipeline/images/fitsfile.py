"""FITS files: headers without pixels, and single planes without the rest."""

from __future__ import annotations

import gzip
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

import numpy as np
from astropy.io import fits

from trap_hpc.errors import ImageError
from trap_hpc.pipeline.images.axes import axes_of, count_of, lengths
from trap_hpc.pipeline.images.cards import Cards
from trap_hpc.pipeline.images.fitscards import FitsCards
from trap_hpc.pipeline.images.header import Contents, contents_of
from trap_hpc.pipeline.images.image import Pixels, Plane

_BLOCK = 2880
_CARD = 80
_END = b"END".ljust(_CARD)
_GZIP = b"\x1f\x8b"
_MAX_HEADER_BYTES = 64 * 2**20
_MAX_HDUS = 1000
_DEFLATE_MAX = 1032
"""No gzip file grows by more than this when it is unpacked."""
_PRINTABLE = bytes(c if 32 <= c < 127 else ord("?") for c in range(256))
_STORED = {8: "u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}
_IN_MEMORY = {8: "f4", 16: "f4", 32: "f8", 64: "f8", -32: "f4", -64: "f8"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hdu:
    """A header, and where its data start in the (unpacked) file."""

    number: int
    cards: Cards
    offset: int

    @property
    def compressed(self) -> bool:
        return self.cards.raw("ZIMAGE") is True


def contents(path: str) -> Contents:
    """Read the header of the first image of a FITS file, no pixels."""
    with _opened(path) as stream:
        hdu = _image_hdu(stream)
        if not hdu.compressed:
            _check_size(hdu, stream)
            return contents_of(hdu.cards, path)
    with fits.open(path, memmap=False) as hdus:
        return contents_of(Cards(hdus[hdu.number].header), path)


def read(path: str, address: str, index: int) -> tuple[Plane, Pixels]:
    """Read one plane; the others of a cube are not read, unless they are packed."""
    with _opened(path) as stream:
        hdu = _image_hdu(stream)
        if not hdu.compressed:
            _check_size(hdu, stream)
            plane = contents_of(hdu.cards, path).plane(address, index)
            return plane, _pixels(hdu, stream, index)
    return _read_compressed(path, address, hdu.number, index)


@contextmanager
def _opened(path: str) -> Iterator[BinaryIO]:
    with open(path, "rb") as stream:
        magic = stream.read(2)
        stream.seek(0)
        if magic != _GZIP:
            yield stream
            return
        with gzip.open(stream, "rb") as unpacked:
            yield cast(BinaryIO, unpacked)


def _image_hdu(stream: BinaryIO) -> _Hdu:
    """Find the first header that describes an image."""
    offset = 0
    for number in range(_MAX_HDUS):
        text = _header_bytes(stream, first=number == 0)
        if not text:
            break
        cards = Cards(FitsCards(text.decode("ascii")))
        offset += -(-len(text) // _BLOCK) * _BLOCK
        hdu = _Hdu(number=number, cards=cards, offset=offset)
        if _is_image(cards):
            return hdu
        offset += -(-_data_bytes(cards) // _BLOCK) * _BLOCK
        stream.seek(offset)
    raise ImageError("it is a FITS file without an image in it")


def _header_bytes(stream: BinaryIO, *, first: bool) -> bytes:
    """Read to the END card; nothing at the end of the file."""
    text = b""
    while len(text) < _MAX_HEADER_BYTES:
        block = stream.read(_BLOCK)
        if first and not text:
            _check_magic(block)
        text += block.translate(_PRINTABLE)
        for end in range(len(text) - len(block), len(text), _CARD):
            if text.startswith(_END, end):
                return text[: end + _CARD]
        if len(block) < _BLOCK:
            break
    if first:
        raise ImageError("its header has no END: the file is cut short or damaged")
    return b""


def _check_magic(block: bytes) -> None:
    if not block:
        raise ImageError("the file is empty")
    if not block.startswith(b"SIMPLE  ="):
        start = block[:20].translate(_PRINTABLE).decode("ascii")
        raise ImageError(
            f"it is no image that is understood: it starts with {start!r}, neither a "
            "FITS file nor a pack nor a CASA image"
        )


def _is_image(cards: Cards) -> bool:
    kind = cards.text("XTENSION")
    if cards.raw("GROUPS") is True and cards.count("NAXIS1") == 0:
        raise ImageError("it holds visibilities (random groups), not an image")
    if kind == "BINTABLE":
        return cards.raw("ZIMAGE") is True
    return kind in ("", "IMAGE") and bool(cards.count("NAXIS"))


def _data_bytes(cards: Cards) -> int:
    sizes = [
        cards.count(f"NAXIS{n + 1}") or 0 for n in range(cards.count("NAXIS") or 0)
    ]
    values = math.prod(sizes) if sizes else 0
    values += cards.count("PCOUNT") or 0
    return abs(_bitpix(cards)) // 8 * values


def _bitpix(cards: Cards) -> int:
    bitpix = cards.raw("BITPIX")
    if bitpix not in _STORED:
        found = "missing" if bitpix is None else f"{bitpix!r}, not a type of pixels"
        raise ImageError(f"BITPIX in its header is {found}")
    return int(bitpix)


def _check_size(hdu: _Hdu, stream: BinaryIO) -> None:
    """Compare what the header promises with the file, before any memory is taken."""
    promised = math.prod(lengths(hdu.cards)) * abs(_bitpix(hdu.cards)) // 8
    present = os.fstat(stream.fileno()).st_size
    if isinstance(stream, gzip.GzipFile):
        present *= _DEFLATE_MAX
    if hdu.offset + promised > present:
        raise ImageError(
            f"it is cut short: its header promises {promised} bytes of pixels, the "
            f"file has {max(0, present - hdu.offset)}: copy it again"
        )


def _pixels(hdu: _Hdu, stream: BinaryIO, index: int) -> Pixels:
    bitpix, (nx, ny) = _bitpix(hdu.cards), lengths(hdu.cards)[:2]
    size = nx * ny * abs(bitpix) // 8
    stream.seek(hdu.offset + index * size)
    data = stream.read(size)
    if len(data) < size:
        raise ImageError(
            f"it is cut short: plane {index} should have {size} bytes of pixels and "
            f"has {len(data)}: copy it again"
        )
    stored = np.frombuffer(data, _STORED[bitpix]).reshape(ny, nx)
    return _scaled(hdu.cards, stored, np.dtype(_IN_MEMORY[bitpix]))


def _scaled(cards: Cards, stored: Any, dtype: np.dtype[Any]) -> Pixels:
    """Physical values: BSCALE times the stored ones plus BZERO; BLANK is NaN."""
    pixels: Pixels = stored.astype(dtype)
    scale, zero = cards.number_or("BSCALE", 1.0), cards.number_or("BZERO", 0.0)
    if scale != 1:
        pixels *= scale
    if zero != 0:
        pixels += zero
    blank = cards.number("BLANK") if stored.dtype.kind in "iu" else None
    if blank is not None:
        pixels[stored == blank] = np.nan
    return pixels


def _read_compressed(
    path: str, address: str, number: int, index: int
) -> tuple[Plane, Pixels]:
    """Read a plane of a tile-compressed image (fpack)."""
    with fits.open(path, memmap=False) as hdus:
        hdu = hdus[number]
        cards = Cards(hdu.header)
        plane = contents_of(cards, path).plane(address, index)
        shape = (count_of(axes_of(cards)), plane.header.ny, plane.header.nx)
        pixels = np.asarray(hdu.data).reshape(shape)[index]
    dtype = np.dtype(_IN_MEMORY.get(cards.raw("BITPIX"), "f8"))
    return plane, np.ascontiguousarray(pixels, dtype)
