"""What the jobs of a run print: finding it, and its last lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from trap_hpc.plaintext import printable

TAIL_BYTES = 16_384
_JOB = re.compile(r"((?:local-)?[^-]+)-")


def logs_of(folder: Path, jobs: Iterable[str]) -> Sequence[Path]:
    """Return the log files of these jobs that are there and not empty.

    They are named ``<job>-<node>.log``; the id of an array means all of its tasks.
    """
    beginnings = tuple(f"{job}{mark}" for job in jobs for mark in "-_")
    return [path for path in all_logs(folder) if path.name.startswith(beginnings)]


def all_logs(folder: Path) -> Sequence[Path]:
    """Return all log files that are not empty, by job."""
    try:
        paths = [path for path in folder.iterdir() if path.stat().st_size]
    except OSError:
        return []
    return sorted(paths, key=lambda path: [_number(p) for p in _PARTS.split(path.name)])


def job_of(path: Path) -> str:
    """Return the id of the job that wrote this log."""
    match = _JOB.match(path.name)
    return match[1] if match else path.name


def last_lines(path: Path, lines: int) -> Sequence[str]:
    """Return the last lines of a file, without what would upset a terminal."""
    try:
        with path.open("rb") as stream:
            size = stream.seek(0, 2)
            stream.seek(max(0, size - TAIL_BYTES))
            text = stream.read().decode(errors="replace")
    except OSError:
        return []
    return [printable(line) for line in text.rstrip().splitlines()[-lines:]]


_PARTS = re.compile(r"(\d+)")


def _number(part: str) -> tuple[int, str]:
    return (int(part), "") if part.isdigit() else (-1, part)
