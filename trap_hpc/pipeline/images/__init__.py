"""Images in: FITS files, HDF5 packs and CASA tables.

The address of an image is ``file.fits``, ``cube.fits[plane]`` (0-based) or
``night.h5#n``. `expand` finds files, `scan` reads headers, `read` reads one image.
"""

from trap_hpc.pipeline.images.image import Image, LofarHeader
from trap_hpc.pipeline.images.projection import Projection
from trap_hpc.pipeline.images.reading import read, scan

__all__ = ["Image", "LofarHeader", "Projection", "read", "scan"]
