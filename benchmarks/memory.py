"""Memory and time of the driver over a long run, without pixels."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from typing import Any

from benchmarks.commands import Setting, module, ran
from benchmarks.figures import Aim, Figure

SOURCES = 100
MARKS = (5000, 10_000, 20_000)
QUICK_MARKS = (500, 1000, 2000)


def figures(setting: Setting) -> Iterator[Figure]:
    marks = QUICK_MARKS if setting.quick else MARKS
    out = setting.folder / "run"
    words = (str(number) for number in (marks[-1], SOURCES, *marks))
    run = ran(module("longrun", out, *words), setting.folder)
    shutil.rmtree(out)
    said = [json.loads(line) for line in run.output.splitlines()]
    start, end = said[0], said[-1]
    name = f"driver, {marks[-1]} images x {SOURCES} sources"
    yield Figure(
        name=f"{name}: peak memory",
        unit="MB",
        values=(end["peak_mb"],),
        aim=Aim(limit=500),
        remark=f"{start['now_mb']:.0f} with nothing done; {_at_marks(said)}",
    )
    before_end = next(each for each in said if each["phase"] == "finishing")
    images = marks[-1]
    wall_ms = 1000 * (before_end["wall_s"] - start["wall_s"]) / images
    yield Figure(
        name=f"{name}: CPU",
        unit="ms/image",
        values=(1000 * (before_end["cpu_s"] - start["cpu_s"]) / images,),
        remark=f"wall {wall_ms:.2g} ms, with one worker that makes measurements up",
    )
    yield Figure(
        name=f"{name}: CPU, growth",
        unit="",
        values=(_growth(said),),
        remark=f"second half of the run / {marks[0]} to {marks[1]} images",
    )
    yield Figure(
        name=f"{name}: closing the catalogue",
        unit="s",
        values=(end["wall_s"] - before_end["wall_s"],),
        remark="final tables, indexes, lightcurves.h5",
    )


def _at_marks(said: list[dict[str, Any]]) -> str:
    running = [each for each in said if each["phase"] == "running"]
    return ", ".join(f"{r['now_mb']:.0f} at {r['images']} images" for r in running)


def _growth(said: list[dict[str, Any]]) -> float:
    """CPU an image in the second half of the run, over that in its second quarter."""
    first, middle, last = (each for each in said if each["phase"] == "running")
    late = (last["cpu_s"] - middle["cpu_s"]) / (last["images"] - middle["images"])
    early = (middle["cpu_s"] - first["cpu_s"]) / (middle["images"] - first["images"])
    return float(late / early)
