"""Addresses of images: ``file.fits``, ``cube.fits[plane]``, ``night.h5#n``."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

_PLANE = re.compile(r"(.+?)(?:\[(\d{1,18})\]|#(\d{1,18}))", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A file and the plane of it that is meant."""

    path: str
    plane: int = 0


def parse(address: str) -> Address:
    """Split an address. A file that is really called ``a[1]`` or ``a#1`` is itself."""
    match = _PLANE.fullmatch(address)
    if match is None or os.path.exists(address):
        return Address(path=address)
    path, of_cube, of_pack = match.groups()
    return Address(path=path, plane=int(of_cube or of_pack))
