"""A shared file system on which a host sees late what others have made. A program.

``late.py FOLDER DELAYS HOST MOUNTPOINT`` shows FOLDER. While a file DELAYS/HOST says a
number of seconds, files that other hosts have made are not there for this one before
so many have passed; and the kernel remembers for a while what it was told, as it does
with other network file systems.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from pathlib import Path
from typing import Any

from fuse import FUSE, FuseOSError

from tests.faults.filesystems.passing import Passing

REMEMBERED_S = 1.0


class Late(Passing):
    def __init__(self, folder: str, delay: Path) -> None:
        super().__init__(folder)
        self._delay = delay
        self._known: set[str] = {"/"}
        """What this host has seen or made."""

    def getattr(self, path: str, fh: int | None = None) -> dict[str, float]:
        status = super().getattr(path, fh)
        self._see(path, status["st_ctime"])
        return status

    def readdir(self, path: str, fh: int) -> list[str]:
        return [name for name in super().readdir(path, fh) if self._there(path, name)]

    def open(self, path: str, flags: int) -> int:
        self._see(path, os.lstat(self.real(path)).st_ctime)
        return super().open(path, flags)

    def create(self, path: str, mode: int, fi: Any = None) -> int:
        self._known.add(path)
        return super().create(path, mode, fi)

    def mkdir(self, path: str, mode: int) -> None:
        self._known.add(path)
        super().mkdir(path, mode)

    def rename(self, old: str, new: str) -> None:
        self._known.add(new)
        super().rename(old, new)

    def unlink(self, path: str) -> None:
        self._known.discard(path)
        super().unlink(path)

    def _there(self, folder: str, name: str) -> bool:
        path = os.path.join(folder, name)
        try:
            self._see(path, os.lstat(self.real(path)).st_ctime)
        except OSError:
            return name in (".", "..")
        return True

    def _see(self, path: str, changed_s: float) -> None:
        """Raise ENOENT if it is too early for ``path``."""
        if path in self._known:
            return
        if time.time() - changed_s < self._seconds():
            raise FuseOSError(errno.ENOENT)
        self._known.add(path)

    def _seconds(self) -> float:
        try:
            return float(self._delay.read_text())
        except (OSError, ValueError):
            return 0.0


if __name__ == "__main__":
    folder, delays, host, mountpoint = sys.argv[1:]
    FUSE(
        Late(folder, Path(delays, host)),
        mountpoint,
        foreground=True,
        allow_other=True,
        default_permissions=True,
        attr_timeout=REMEMBERED_S,
        entry_timeout=REMEMBERED_S,
        negative_timeout=REMEMBERED_S,
        big_writes=True,
    )
