"""Killing a process at a random moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from tests.source import ROOT

KILLS = int(os.environ.get("TRAP_HPC_KILLS", "10"))
"""`make kills` tries more."""


def killed_after(words: list[str], seconds: float) -> list[str]:
    """Kill a process so long after its first line; return its lines.

    It may have ended before.
    """
    process = subprocess.Popen(
        [sys.executable, *words], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout is not None
    with process.stdout:
        first = process.stdout.readline()
        time.sleep(seconds)  # any moment is as good as any other
        process.kill()
        text = first + process.stdout.read()
    assert process.wait(60) in (0, -signal.SIGKILL), text
    return text.splitlines(keepends=True)
