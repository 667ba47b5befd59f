"""Images that kill whoever reads them, or hang for ever. A program, run by root.

``cursed.py FOLDER CURSES MOUNTPOINT`` shows FOLDER. A file of the same name in CURSES
says what befalls who opens an image (``kills at once``, ``hangs at once``), or who
reads its pixels (``kills``, ``hangs``). In NAME.met it is noted when somebody was hit.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import time
from pathlib import Path

from fuse import FUSE, FuseOSError, fuse_get_context

from tests.faults.filesystems.passing import Passing

HEADER_BYTES = 40_000
"""Nobody reads so far for the header alone."""
LOOK_S = 0.05


class Cursed(Passing):
    def __init__(self, folder: str, curses: str) -> None:
        super().__init__(folder)
        self._curses = Path(curses)

    def open(self, path: str, flags: int) -> int:
        self._meet(path, " at once")
        return super().open(path, flags)

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        if offset + size > HEADER_BYTES:
            self._meet(path, "")
        return super().read(path, size, offset, fh)

    def _meet(self, path: str, when: str) -> None:
        curse = self._curse(path)
        if curse not in (f"kills{when}", f"hangs{when}"):
            return
        _, _, pid = fuse_get_context()
        with open(self._note(path, ".met"), "a") as stream:
            stream.write(f"{time.time()} {pid}\n")
        if curse.startswith("kills"):
            os.kill(pid, signal.SIGKILL)
        while self._curse(path) == curse and alive(pid):
            time.sleep(LOOK_S)
        raise FuseOSError(errno.EINTR)

    def _note(self, path: str, suffix: str = "") -> Path:
        return self._curses / (os.path.basename(path) + suffix)

    def _curse(self, path: str) -> str:
        try:
            return self._note(path).read_text()
        except OSError:
            return ""


def alive(pid: int) -> bool:
    """Whether a process is there, and nobody has killed it while it waits for us.

    Else it would wait for ever, as on a file server that is gone.
    """
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return False
    pending = [int(x.split()[1], 16) for x in lines if x[:6] in ("SigPnd", "ShdPnd")]
    return not any(mask & 1 << signal.SIGKILL - 1 for mask in pending)


if __name__ == "__main__":
    folder, curses, mountpoint = sys.argv[1:]
    FUSE(
        Cursed(folder, curses),
        mountpoint,
        foreground=True,
        allow_other=True,
        default_permissions=True,
        direct_io=True,  # what is read is what was asked for
    )
