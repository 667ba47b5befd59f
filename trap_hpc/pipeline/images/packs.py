"""HDF5 packs: one file instead of many small ones.

``/planes`` holds a JSON text a plane, behind its checksum: header, coordinate system,
LOFAR facts, address and content hash of the original, and where its pixels are: a row
of a dataset in ``/pixels``, one dataset a shape and type of pixels, chunked so that a
plane is one read. All texts have a fixed length and the file's structure has checksums,
because the HDF5 library takes the whole process down over a damaged heap.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import h5py
import numpy as np

from trap_hpc.errors import ImageError
from trap_hpc.pipeline.images.image import Image, LofarHeader, Plane, image_of
from trap_hpc.pipeline.images.projection import Projection
from trap_hpc.pipeline.records import Header, Refusal

SCHEMA_VERSION = 1
KIND = "trap_hpc pack"
_SEAL_BYTES = 8
_MAGIC = b"\x89HDF\r\n\x1a\n"
_ALIEN = "it is named like a pack, but it is not an HDF5 file"
_DAMAGED = "it is damaged or cut short: copy the pack again, or pack the images again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in a pack the pixels of a plane are."""

    dataset: str
    row: int


def planes(path: str) -> Iterator[Plane | Refusal]:
    """Read the headers of all planes of a pack; damaged ones are refused alone."""
    with _opened(path) as pack:
        texts = pack["planes"][:]
    for n, text in enumerate(texts):
        address = f"{path}#{n}"
        try:
            yield _plane(_unsealed(text), address)
        except ImageError as error:
            yield Refusal(address=address, kind="unreadable", reason=str(error))


def read(path: str, address: str, index: int) -> Image:
    """Read one plane of a pack, and check that it is what was packed."""
    with _opened(path) as pack:
        count = len(pack["planes"])
        if index >= count:
            raise ImageError(f"there is no plane {index}: it has {count}, from 0")
        facts = _unsealed(pack["planes"][index])
        place = Place(**facts["place"])
        dataset = pack["pixels"][place.dataset]
        if dataset.external or dataset.is_virtual:
            raise ImageError("its pixels are in other files: pack the images again")
        pixels = dataset[place.row]
    image = image_of(_plane(facts, address), np.ascontiguousarray(pixels))
    if image.content != facts["content"]:
        raise ImageError(_DAMAGED)
    return image


@contextmanager
def _opened(path: str) -> Iterator[Any]:
    os.stat(path)  # h5py has many words for a missing file
    try:
        # Nobody writes to a pack, and not every shared disk has locks.
        with h5py.File(path, "r", locking=False) as pack:
            _check(pack)
            yield pack
    except PermissionError:
        raise
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        raise ImageError(_DAMAGED if _is_hdf5(path) else _ALIEN) from error


def _is_hdf5(path: str) -> bool:
    with open(path, "rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def _check(pack: Any) -> None:
    if pack.attrs.get("kind") != np.bytes_(KIND):
        raise ImageError("it is an HDF5 file, but not a pack of trap-hpc pack")
    version = int(pack.attrs["schema_version"])
    if version != SCHEMA_VERSION:
        raise ImageError(
            f"it is a pack of version {version}, and this program reads version "
            f"{SCHEMA_VERSION}: pack the images again"
        )


def _plane(facts: Any, address: str) -> Plane:
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


def text_of(image: Image, place: Place) -> bytes:
    """All that a pack keeps of an image but its pixels; numbers come back exactly."""
    header = asdict(image.header)
    origin = header.pop("address")
    facts = {
        "origin": origin,
        "content": image.content,
        "header": header,
        "sky": asdict(image.sky),
        "lofar": None if image.lofar is None else asdict(image.lofar),
        "place": asdict(place),
    }
    return _sealed(json.dumps(facts).encode("ascii"))


def _sealed(text: bytes) -> bytes:
    """Put the text's own checksum in front of it."""
    return hashlib.blake2b(text, digest_size=_SEAL_BYTES).hexdigest().encode() + text


def _unsealed(sealed: bytes) -> Any:
    text = sealed[2 * _SEAL_BYTES :]
    if _sealed(text) != sealed:
        raise ImageError(_DAMAGED)
    return json.loads(text)
