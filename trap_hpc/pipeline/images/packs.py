"""HDF5 packs: one file instead of many small ones.

``/planes`` holds a JSON text a plane: header, coordinate system, LOFAR facts, address
of the original, and where its pixels are: a row of ``/pixels/<n>``, one dataset a
shape and type of pixels, chunked so that a plane is one read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import h5py
import numpy as np

from trap_hpc.errors import ImageError
from trap_hpc.pipeline.images.image import Image, LofarHeader, Pixels, Plane
from trap_hpc.pipeline.images.projection import Projection
from trap_hpc.pipeline.records import Header

SUFFIXES = ".h5", ".hdf5"
SCHEMA_VERSION = 1
KIND = "trap_hpc pack"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in a pack the pixels of a plane are."""

    dataset: str
    row: int


def planes(path: str) -> list[Plane]:
    """Read the headers of all planes of a pack."""
    with _opened(path) as pack:
        texts = pack["planes"][:]
    return [_plane(text, f"{path}#{n}") for n, text in enumerate(texts)]


def read(path: str, address: str, index: int) -> tuple[Plane, Pixels]:
    """Read one plane of a pack."""
    with _opened(path) as pack:
        count = len(pack["planes"])
        if index >= count:
            raise ImageError(f"there is no plane {index}: it has {count}, from 0")
        text = pack["planes"][index]
        place = Place(**json.loads(text)["place"])
        pixels = pack["pixels"][place.dataset][place.row]
    return _plane(text, address), np.ascontiguousarray(pixels)


@contextmanager
def _opened(path: str) -> Iterator[Any]:
    os.stat(path)  # h5py's own words for a missing file are many
    try:
        pack = h5py.File(path, "r")
    except OSError as error:
        raise ImageError("it is not an HDF5 file, or it is cut short") from error
    with pack:
        if pack.attrs.get("kind") != KIND:
            raise ImageError("it is an HDF5 file, but not a pack of trap-hpc pack")
        version = int(pack.attrs["schema_version"])
        if version != SCHEMA_VERSION:
            raise ImageError(
                f"it is a pack of version {version}, and this program reads version "
                f"{SCHEMA_VERSION}: pack the images again"
            )
        yield pack


def _plane(text: bytes, address: str) -> Plane:
    facts = json.loads(text)
    lofar = facts["lofar"]
    sky = {key: _tuples(value) for key, value in facts["sky"].items()}
    return Plane(
        header=Header(address=address, **facts["header"]),
        sky=Projection(**sky),
        lofar=None if lofar is None else LofarHeader(**lofar),
    )


def _tuples(value: Any) -> Any:
    """JSON's lists as tuples, all the way down."""
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value


def text_of(image: Image, place: Place) -> str:
    """All that a pack keeps of an image but its pixels; numbers come back exactly."""
    header = asdict(image.header)
    origin = header.pop("address")
    facts = {
        "origin": origin,
        "header": header,
        "sky": asdict(image.sky),
        "lofar": None if image.lofar is None else asdict(image.lofar),
        "place": asdict(place),
    }
    return json.dumps(facts)
