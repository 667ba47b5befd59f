"""Mounting the file systems of this folder for hosts."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from ctypes.util import find_library
from pathlib import Path

from tests.cluster.processes import wait_until
from tests.source import ROOT


def what_is_missing() -> str:
    """Say why nothing can be mounted here; empty: it can."""
    if not os.path.exists("/dev/fuse"):
        return "there is no /dev/fuse"
    if find_library("fuse") is None:
        return "libfuse is not installed: apt-get install libfuse2"
    if importlib.util.find_spec("fuse") is None:
        return "fusepy is not installed: pip install --group test"
    return ""


class Mount:
    """A file system that is mounted in the namespace of a process."""

    def __init__(self, pid: int, program: str, *arguments: str | Path) -> None:
        """Mount it at the last of ``arguments``, a folder that is there."""
        *_, self._at = arguments
        self._enter = ["nsenter", f"--target={pid}", "--mount", "--"]
        with_us = ["setpriv", "--pdeathsig", "KILL"]  # it ends when we do, however
        python = ["env", f"PYTHONPATH={ROOT}", sys.executable, "-P", "-m"]
        words = [f"{__package__}.{program}", *map(str, arguments)]
        self._process = subprocess.Popen(
            [*with_us, *self._enter, *python, *words],
            stdin=subprocess.DEVNULL,
            cwd="/",
        )
        seen = f"/proc/{pid}/root{self._at}"
        wait_until(lambda: os.path.ismount(seen), f"{self._at} is mounted")

    def end(self) -> None:
        """Who still uses it gets errors."""
        self._process.kill()
        self._process.wait()
        unmount = [*self._enter, "umount", "--lazy", str(self._at)]
        subprocess.run(unmount, stderr=subprocess.DEVNULL, check=False)
