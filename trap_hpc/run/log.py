"""The run's log file: what happened, for people."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from pathlib import Path

from trap_hpc.plaintext import printable

BEGINNING = "session "
"""Begins the first line of each session."""
STOPPED, INTERRUPTED = "stopped: ", "interrupted: "
"""Begin the lines that say why a session came to no good end."""


class RunLog:
    """Appends lines with their time. A log that can't be written stops no run.

    More lines of a text are set back: whatever a file is called, it is no line of ours.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, text: str) -> None:
        """Write one line."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        lines = printable(text).replace("\n", "\n    ")
        with contextlib.suppress(OSError), self._path.open("a") as stream:
            stream.write(f"{now} {lines}\n")
