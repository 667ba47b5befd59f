"""Images in: FITS files, HDF5 packs and CASA tables.

The address of an image is ``file.fits``, ``cube.fits[plane]`` (0-based, the first axis
beyond the sky varies fastest) or ``night.h5#n``. `expand` finds files, `scan` reads
headers, `read` reads one image.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trap_hpc.pipeline.images.finding import expand
    from trap_hpc.pipeline.images.image import Image, LofarHeader
    from trap_hpc.pipeline.images.packing import PackReport, pack
    from trap_hpc.pipeline.images.projection import Projection
    from trap_hpc.pipeline.images.reading import read, scan
    from trap_hpc.pipeline.images.write import write_fits

__all__ = [
    "Image",
    "LofarHeader",
    "PackReport",
    "Projection",
    "expand",
    "pack",
    "read",
    "scan",
    "write_fits",
]

_MODULES = {
    "Image": "image",
    "LofarHeader": "image",
    "PackReport": "packing",
    "Projection": "projection",
    "expand": "finding",
    "pack": "packing",
    "read": "reading",
    "scan": "reading",
    "write_fits": "write",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for: who looks for files needs neither numpy nor astropy."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
