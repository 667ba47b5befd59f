"""Images that take their time: pixels come slowly. A program, run by root.

``slow.py FOLDER PACE MOUNTPOINT`` shows FOLDER. While the file PACE says a number of
seconds, who reads an image's pixels waits so long, once each time it is opened. So many
workers are at work for a while on a machine that has few processors.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from fuse import FUSE

from tests.faults.filesystems.cursed import HEADER_BYTES
from tests.faults.filesystems.passing import Passing


class Slow(Passing):
    def __init__(self, folder: str, pace: Path) -> None:
        super().__init__(folder)
        self._pace = pace
        self._begun: set[int] = set()
        """Open files whose pixels somebody reads."""

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        if offset + size > HEADER_BYTES and fh not in self._begun:
            self._begun.add(fh)
            time.sleep(self._seconds())
        return super().read(path, size, offset, fh)

    def release(self, path: str, fh: int) -> None:
        self._begun.discard(fh)
        super().release(path, fh)

    def _seconds(self) -> float:
        try:
            return float(self._pace.read_text())
        except (OSError, ValueError):
            return 0.0


if __name__ == "__main__":
    folder, pace, mountpoint = sys.argv[1:]
    FUSE(
        Slow(folder, Path(pace)),
        mountpoint,
        foreground=True,
        allow_other=True,
        default_permissions=True,
        direct_io=True,  # what is read is what was asked for
    )
