"""One image: what its header says, its pixels and where they lie on the sky."""

from __future__ import annotations

import hashlib
import json
from dataclasses import astuple, dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from trap_hpc.pipeline.images.projection import Projection
from trap_hpc.pipeline.records import Header

Pixels = npt.NDArray[np.floating[Any]]
"""Native-endian, C-contiguous, float32 or float64, indexed [y, x]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LofarHeader:
    """What LOFAR images say of the array, for the checks that need it."""

    antenna_set: str
    """``LBA_INNER``, ``LBA_OUTER``, ``LBA_SPARSE``, ``LBA``, ``HBA``..."""
    ncore: int
    nremote: int
    nintl: int
    subbands: int
    subbandwidth_hz: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plane:
    """One plane of a file, without its pixels."""

    header: Header
    sky: Projection
    lofar: LofarHeader | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One plane of a file with its pixels; ``pixels[y, x]``, 0-based."""

    header: Header
    pixels: Pixels
    sky: Projection
    lofar: LofarHeader | None
    content: str
    """Equal for equal images, whatever their file's name, kind or compression."""


def image_of(plane: Plane, pixels: Pixels) -> Image:
    """Join a plane and its pixels (shape (ny, nx))."""
    return Image(
        header=plane.header,
        pixels=pixels,
        sky=plane.sky,
        lofar=plane.lofar,
        content=content_of(plane, pixels),
    )


def content_of(plane: Plane, pixels: Pixels) -> str:
    """Hash of the pixels and of all that is known of them but their address."""
    facts = [
        getattr(plane.header, field.name)
        for field in fields(plane.header)
        if field.name != "address"
    ]
    lofar = astuple(plane.lofar) if plane.lofar else None
    text = json.dumps([facts, plane.sky.cards(), lofar, pixels.dtype.str, pixels.shape])
    digest = hashlib.blake2b(text.encode(), digest_size=16)
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()
