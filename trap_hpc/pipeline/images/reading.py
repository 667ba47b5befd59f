"""Any image by its address: what kind of file it is, and who reads it."""

from __future__ import annotations

import os
from collections.abc import Iterable

from trap_hpc.errors import ImageError
from trap_hpc.pipeline.images import casa, fitsfile, packs
from trap_hpc.pipeline.images.address import parse
from trap_hpc.pipeline.images.image import Image, Plane, image_of
from trap_hpc.pipeline.images.kinds import is_pack
from trap_hpc.pipeline.images.reasons import reasons
from trap_hpc.pipeline.records import Header, Refusal


def scan(path: str) -> list[Header | Refusal]:
    """Read the headers of all images in a file, no pixels; one entry a plane.

    Never raises for a bad file: a file or plane that can't be used is a Refusal of
    kind ``unreadable``, a plane that is not Stokes I one of kind ``left out``.
    """
    try:
        with reasons():
            return [
                found if isinstance(found, Refusal) else found.header
                for found in _planes(path)
            ]
    except ImageError as error:
        return [Refusal(address=path, kind="unreadable", reason=str(error))]


def read(address: str) -> Image:
    """Read one image: ``file.fits``, ``cube.fits[plane]`` or ``night.h5#n``.

    A file's name alone is its first plane. Raises ImageError, whose message is the
    reason, without the image's name.
    """
    with reasons():
        where = parse(address)
        return _read(where.path, address, where.plane)


def _planes(path: str) -> Iterable[Plane | Refusal]:
    if is_pack(path):
        return packs.planes(path)
    if os.path.isdir(path):
        return casa.contents(path).planes()
    return fitsfile.contents(path).planes()


def _read(path: str, address: str, plane: int) -> Image:
    if is_pack(path):
        return packs.read(path, address, plane)
    reader = casa.read if os.path.isdir(path) else fitsfile.read
    return image_of(*reader(path, address, plane))
