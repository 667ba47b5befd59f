"""What kind of image a path is, by its name and without opening it."""

from __future__ import annotations

import os

FITS_SUFFIXES = ".fits", ".fit", ".fts"
PACK_SUFFIXES = ".h5", ".hdf5"


def is_table(path: str) -> bool:
    """Whether a folder is a table of CASA."""
    return os.path.isfile(os.path.join(path, "table.dat"))


def is_pack(path: str) -> bool:
    """Whether a file is named like an HDF5 pack."""
    return path.lower().endswith(PACK_SUFFIXES)
