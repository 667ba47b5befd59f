"""A file that HDF5 can always finish writing, even on a full disk."""

from __future__ import annotations

import io
from typing import Any


class SteadyFile(io.FileIO):
    """Keeps the first error of writing until `check` is called, and writes no more.

    HDF5 can't close a file of which it could not write a part: it complains on stderr,
    object by object, and may take the process with it. So it is never told; who writes
    calls `check` now and then, and once more when HDF5 has closed the file.
    """

    error: OSError | None = None

    def write(self, data: Any, /) -> int:
        """Write all of ``data``, or nothing more from the first error on."""
        left = memoryview(data).cast("B")
        size = len(left)
        try:
            while self.error is None and len(left):
                left = left[super().write(left) :]
        except OSError as error:
            self.error = error
        return size

    def truncate(self, size: int | None = None, /) -> int:
        """Make the file ``size`` bytes long, unless there was an error."""
        try:
            if self.error is None:
                return super().truncate(size)
        except OSError as error:
            self.error = error
        return size or 0

    def check(self) -> None:
        """Raise the OSError that came up while writing, if one did."""
        if self.error is not None:
            raise self.error
