"""Any image by its address: what kind of file it is, and who reads it."""

from __future__ import annotations

from trap_hpc.errors import ImageError
from trap_hpc.pipeline.images import fitsfile
from trap_hpc.pipeline.images.address import parse
from trap_hpc.pipeline.images.image import Image, image_of
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
                plane if isinstance(plane, Refusal) else plane.header
                for plane in fitsfile.contents(path).planes()
            ]
    except ImageError as error:
        return [Refusal(address=path, kind="unreadable", reason=str(error))]


def read(address: str) -> Image:
    """Read one image: ``file.fits``, ``cube.fits[plane]`` or ``night.h5#n``.

    Raises ImageError, whose message is the reason, without the image's name.
    """
    with reasons():
        where = parse(address)
        return image_of(*fitsfile.read(where.path, address, where.plane))
