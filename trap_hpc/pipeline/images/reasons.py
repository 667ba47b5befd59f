"""Why an image can't be used, in words: the one place where errors are translated."""

from __future__ import annotations

import gzip
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from astropy.wcs import WcsError

from trap_hpc.errors import ImageError

_REASONS: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    ((FileNotFoundError, NotADirectoryError), "the file does not exist (any more)"),
    ((PermissionError,), "no permission to read it"),
    ((IsADirectoryError,), "it is a folder, but not a CASA image"),
    (
        (EOFError, zlib.error, gzip.BadGzipFile),
        "its compressed data are cut short or damaged: copy it again",
    ),
    ((MemoryError,), "it is too large for the memory of this machine"),
)


@contextmanager
def reasons() -> Iterator[None]:
    """Turn whatever a reader raises into an ImageError; no warning leaves.

    astropy, wcslib, h5py and casacore between them raise most of Python's
    exceptions on damaged files; what they warn of is judged by our own checks.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except ImageError:
            raise
        except Exception as error:
            raise ImageError(_sentence(error)) from error


def _sentence(error: Exception) -> str:
    for kinds, text in _REASONS:
        if isinstance(error, kinds):
            return text
    what = " ".join(str(error).split())[:200]
    if isinstance(error, WcsError):
        return f"its celestial coordinates make no sense to wcslib ({what})"
    return f"it could not be read ({type(error).__name__}: {what})"
