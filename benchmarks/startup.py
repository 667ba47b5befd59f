"""How long a user waits: for the help, and for the first image to be measured."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.commands import (
    ROOT,
    BenchmarkError,
    Setting,
    environment,
    ran,
    trap_hpc,
)
from benchmarks.figures import Aim, Figure
from benchmarks.sky import make_images

LIMIT_S = 60
LOOK_EVERY_S = 0.002


def help_figures(setting: Setting) -> Iterator[Figure]:
    rounds = 5 if setting.quick else 31
    runs = [ran(trap_hpc("--help"), setting.folder) for _ in range(rounds)]
    yield Figure(
        name="trap-hpc --help",
        unit="s",
        values=tuple(run.wall_s for run in runs),
        aim=Aim(limit=0.2),
    )


def first_image_figures(setting: Setting) -> Iterator[Figure]:
    sky = make_images(setting.folder / "images", size=512, sources=64, images=40)
    rounds = 2 if setting.quick else 7
    for engine in ("processes", "serial"):
        command = trap_hpc("run", sky.first(40), "--engine", engine, "--quiet", "--out")
        yield Figure(
            name=f"first image measured, {engine}",
            unit="s",
            values=tuple(
                _first_image_s(command, setting.folder / f"{engine}-{n}")
                for n in range(rounds)
            ),
            aim=Aim(limit=3),
            remark="from the command to the first measurement file",
        )


def _first_image_s(command: list[str], out: Path) -> float:
    """Look from outside: when is the first measurement file there?"""
    started = time.perf_counter()
    process = subprocess.Popen(
        [*command, str(out)],
        cwd=ROOT,
        env=environment(out.parent),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while time.perf_counter() < started + LIMIT_S:
            if any((out / "measurements").glob("measure-*.h5")):
                return time.perf_counter() - started
            if process.poll() is not None:
                raise BenchmarkError(f"the run ended with {process.returncode}")
            time.sleep(LOOK_EVERY_S)
    finally:
        process.terminate()
        process.wait()
    raise BenchmarkError(f"no image was measured in {LIMIT_S} s")
