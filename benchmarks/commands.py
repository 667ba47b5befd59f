"""Running commands and measuring them from outside."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
PYTHON = sys.executable


class BenchmarkError(Exception):
    """A command did not do what it should: the figure is missing, others go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What every measurement is told."""

    quick: bool
    folder: Path
    """For files; gone afterwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    wall_s: float
    cpu_s: float
    """User and system time of the command and of those children it waited for."""
    output: str


def trap_hpc(*words: str | Path) -> list[str]:
    """The command as a user has it: the script of this environment if there is one."""
    script = Path(PYTHON).parent / "trap-hpc"
    start = [str(script)] if script.exists() else [PYTHON, "-m", "trap_hpc"]
    return [*start, *map(str, words)]


def module(name: str, *words: str | Path) -> list[str]:
    return [PYTHON, "-m", f"benchmarks.{name}", *map(str, words)]


def environment(folder: Path) -> dict[str, str]:
    """The surroundings of a command: runs are not listed among the user's own."""
    return {**os.environ, "XDG_STATE_HOME": str(folder)}


def ran(words: Sequence[str], folder: Path, *, limit_s: float = 1200) -> Ran:
    """Run a command to its end; its files go to ``folder``.

    Raises
    ------
    BenchmarkError
        It failed or took too long.
    """
    before, started = _cpu_s(), time.perf_counter()
    try:
        done = subprocess.run(
            words,
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=environment(folder),
            timeout=limit_s,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BenchmarkError(f"{' '.join(words[:4])}: {error}") from None
    wall_s = time.perf_counter() - started
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise BenchmarkError(
            f"{' '.join(words[:4])} ended with {done.returncode}: {' '.join(last)}"
        )
    return Ran(wall_s=wall_s, cpu_s=_cpu_s() - before, output=done.stdout)


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def cores() -> list[int]:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))
