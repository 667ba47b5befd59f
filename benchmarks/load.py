"""A thousand workers, and 1,000, 10,000 and 100,000 images: what grows, and how much.

Workers are made up (see `fleet_engine`); driver, books, ledger, catalogue and status
file are the real ones. Figures of an image at 100,000 are held against those at 1,000.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median
from typing import Any

from benchmarks.commands import (
    ROOT,
    BenchmarkError,
    Setting,
    environment,
    module,
    ran,
    trap_hpc,
)
from benchmarks.figures import Aim, Figure
from trap_hpc.paths import RunPaths

SOURCES, WORKERS, BATCH = 100, 1000, 20
SIZES = (1000, 10_000, 100_000)
QUICK_SIZES = (200, 1000)
ASK_EVERY_S = 5.0
LIMIT_S = 3 * 3600.0
FLAT = Aim(limit=1.5)
MEMORY_MB = 500.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a run of so many images was like."""

    images: int
    said: list[dict[str, Any]]
    asked_s: list[float]
    """CPU seconds of `trap-hpc status`, while the run went on."""
    files: int
    largest: int
    """Files in the fullest folder."""
    sizes: dict[str, int]
    """Bytes, by file name."""

    def at(self, phase: str) -> dict[str, Any]:
        return next(each for each in self.said if each["phase"] == phase)

    def spent(self, name: str, first: str, last: str) -> float:
        """Milliseconds an image between two phases."""
        spent_s = self.at(last)[name] - self.at(first).get(name, 0.0)
        return float(1000 * spent_s / self.images)

    def kilobytes(self, name: str) -> float:
        return self.sizes[name] / 1000 / self.images


def figures(setting: Setting) -> Iterator[Figure]:
    loads = []
    for images in QUICK_SIZES if setting.quick else SIZES:
        loads.append(_load(setting, images))
        yield from _of_one(loads[-1])
        yield _again(setting, images)
    # How busy the machine is changes with time, and with it what an image costs.
    few = [loads[0], _load(setting, loads[0].images)]
    yield from _growth(few, loads[-1])


PER_IMAGE: dict[str, tuple[str, Callable[[Loaded], float]]] = {
    "driver, CPU": ("ms/image", lambda x: x.spent("cpu_s", "start", "finishing")),
    "closing, CPU": ("ms/image", lambda x: x.spent("cpu_s", "finishing", "end")),
    "ledger": ("ms/image", lambda x: x.spent("ledger_s", "start", "end")),
    "catalogue": ("ms/image", lambda x: x.spent("catalogue_s", "start", "end")),
    "ledger, size": ("kB/image", lambda x: x.kilobytes("ledger.sqlite")),
    "catalogue, size": ("kB/image", lambda x: x.kilobytes("catalogue.sqlite")),
    "light curves, size": ("kB/image", lambda x: x.kilobytes("lightcurves.h5")),
    "files": ("/image", lambda x: x.files / x.images),
}
WHOLE: dict[str, tuple[str, Callable[[Loaded], float]]] = {
    "memory at the end of association": ("MB", lambda x: x.at("finishing")["now_mb"]),
    "memory, peak": ("MB", lambda x: x.at("end")["peak_mb"]),
    "status.json": ("bytes", lambda x: float(x.sizes["status.json"])),
    "trap-hpc status, CPU": ("s", lambda x: median(x.asked_s)),
}


def _of_one(load: Loaded) -> Iterator[Figure]:
    for name, (unit, value) in (PER_IMAGE | WHOLE).items():
        yield Figure(
            name=f"{load.images} images: {name}",
            unit=unit,
            values=(value(load),),
            aim=Aim(limit=MEMORY_MB) if unit == "MB" else None,
        )
    wall_s = load.at("finishing")["wall_s"] - load.at("start")["wall_s"]
    closing_s = load.at("end")["wall_s"] - load.at("finishing")["wall_s"]
    yield Figure(
        name=f"{load.images} images: from start to closing",
        unit="s",
        values=(wall_s,),
        remark=f"then {closing_s:.0f} s for the closing; {load.at('end')['lost']} "
        f"workers vanished; {load.largest} files in the fullest folder",
    )


def _growth(few: Sequence[Loaded], many: Loaded) -> Iterator[Figure]:
    """Hold the largest run against the smallest, made before and after it."""
    images = few[0].images
    for name, (unit, value) in (PER_IMAGE | WHOLE).items():
        yield Figure(
            name=f"{many.images} / {images} images: {name}",
            unit="times",
            values=(value(many) / mean(map(value, few)),),
            aim=FLAT if unit != "MB" else None,
        )
    more_mb = many.at("finishing")["now_mb"] - few[0].at("finishing")["now_mb"]
    yield Figure(
        name="memory, each further image",
        unit="kB",
        values=(1000 * more_mb / (many.images - images),),
        remark=f"between {images} and {many.images} images",
    )


def _words(out: Path, images: int, *marks: int) -> list[str]:
    numbers = (images, SOURCES, WORKERS, BATCH, *marks)
    return module("loadrun", out, *map(str, numbers))


def _load(setting: Setting, images: int) -> Loaded:
    """Do a run, and ask for its status now and then."""
    out = setting.folder / "run"
    asked_s: list[float] = []
    process = _started(_words(out, images), setting.folder)
    began_s = time.monotonic()
    while process.poll() is None:
        if time.monotonic() > began_s + LIMIT_S:
            _kill(process)
        with suppress(subprocess.TimeoutExpired):
            process.wait(min(ASK_EVERY_S, 1 + len(asked_s)))
        if RunPaths(out).status.exists():
            asked = ran(trap_hpc("status", "--json", out), setting.folder)
            asked_s.append(asked.cpu_s)
    said = _said(process)
    files = [len(os.listdir(folder)) for folder in out.iterdir() if folder.is_dir()]
    sizes = {path.name: path.stat().st_size for path in out.iterdir()}
    shutil.rmtree(out)
    return Loaded(
        images=images,
        said=said,
        asked_s=asked_s,
        files=sum(files),
        largest=max(files),
        sizes=sizes,
    )


def _again(setting: Setting, images: int) -> Figure:
    """Kill a run when half of its images are measured; how soon is it at work again?"""
    out = setting.folder / "killed"
    process = _started(_words(out, images), setting.folder)
    try:
        while _measured(out) < images / 2:
            if process.poll() is not None:
                raise BenchmarkError("it ended before it was half done")
            time.sleep(0.05)
    finally:
        _kill(process)
    measured = _measured(out)
    process = _started(_words(out, images), setting.folder)
    assert process.stdout is not None
    try:
        start, work = (json.loads(process.stdout.readline()) for _ in range(2))
    finally:
        _kill(process)
    shutil.rmtree(out)
    return Figure(
        name=f"{images} images, {measured} measured and killed: at work again",
        unit="s CPU",
        values=(work["cpu_s"] - start["cpu_s"],),
        remark=f"wall {work['wall_s'] - start['wall_s']:.2g} s, imports not counted",
    )


def _started(words: list[str], folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        words,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment(folder),
        start_new_session=True,  # to be killed with the process that makes findings up
    )


def _kill(process: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _measured(out: Path) -> int:
    try:
        return int(json.loads(RunPaths(out).status.read_bytes())["measured"])
    except (OSError, ValueError):
        return 0


def _said(process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    assert process.stdout is not None
    with process.stdout:
        said = [json.loads(line) for line in process.stdout]
    if process.returncode:
        raise BenchmarkError(f"the run ended with {process.returncode}")
    return said
