"""Runs that tests make, and how they are ended."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from trap_hpc.catalogue.compare import compare
from trap_hpc.paths import RunPaths
from trap_hpc.run.launch import start
from trap_hpc.run.plan import make_plan
from trap_hpc.run.progress import Summary

SETTINGS = ("force_beam=false", "ew_sys_err=12", "ns_sys_err=12", "expiration=3")


def run(
    images: Sequence[str],
    out: Path,
    engine: str = "serial",
    workers: int | None = None,
    batch_size: int | None = None,
) -> Summary:
    return start(
        make_plan(
            images,
            out=out,
            overrides=SETTINGS,
            engine=engine,
            workers=workers,
            batch_size=batch_size,
        )
    )


def assert_same(one: Path, other: Path) -> None:
    comparison = compare(one, other)
    assert comparison.same, str(comparison)


def kill_after(process: subprocess.Popen[bytes], out: Path, files: int) -> None:
    """Kill a run once it has written so many measurement files, or at its end."""
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        if RunPaths(out).plan.exists() and written(out) >= files:
            os.kill(process.pid, signal.SIGKILL)
            break
        time.sleep(0.002)
    process.wait(60)


def written(out: Path) -> int:
    return sum(not p.name.startswith(".") for p in RunPaths(out).measurements.iterdir())
