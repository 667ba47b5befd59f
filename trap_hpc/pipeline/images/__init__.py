"""Images in: FITS files, HDF5 packs and CASA tables.

The address of an image is ``file.fits``, ``cube.fits[plane]`` (0-based, the first axis
beyond the sky varies fastest) or ``night.h5#n``. `expand` finds files, `scan` reads
headers, `read` reads one image.
"""

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
