"""Images per second on one core and on two, side by side; CPU time of the driver."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.commands import BenchmarkError, Setting, cores, module, ran
from benchmarks.figures import Aim, Figure
from benchmarks.pairs import Cost, Extent, Pair, run_pair
from benchmarks.sky import Sky, make_images

TWICE = Aim(limit=1.85, at_least=True, possible=2.15)
ENOUGH_FOR_STEADY = 8
ENOUGH_FOR_DRIVER = 100
"""Over fewer further images, what is done once would count as theirs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    one: Pair
    """The serial engine on one core."""
    two: Pair
    """Two workers, each on its core, and the driver on either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Makes figures out of the same rounds."""

    name: str
    rounds: Sequence[Round]

    def of(
        self,
        what: str,
        unit: str,
        value: Callable[[Round], float],
        remark: str,
        aim: Aim | None = None,
    ) -> Figure:
        return Figure(
            name=f"{self.name}: {what}",
            unit=unit,
            values=tuple(map(value, self.rounds)),
            aim=aim,
            remark=remark,
        )


def small(setting: Setting) -> Iterator[Figure]:
    extent = Extent(few=100, many=600, rounds=5)
    if setting.quick:
        extent = Extent(few=40, many=400, rounds=1)
    yield from _figures(setting, 512, 64, extent, Aim(limit=60, at_least=True))


def medium(setting: Setting) -> Iterator[Figure]:
    extent = Extent(few=8, many=32, rounds=3)
    if setting.quick:
        extent = Extent(few=4, many=28, rounds=1)
    yield from _figures(setting, 2048, 256, extent)


def large(setting: Setting) -> Iterator[Figure]:
    extent = Extent(few=4, many=16, rounds=3)
    if setting.quick:
        extent = Extent(few=2, many=6, rounds=1)
    yield from _figures(setting, 4096, 512, extent)


def _figures(
    setting: Setting, size: int, sources: int, extent: Extent, aim: Aim | None = None
) -> Iterator[Figure]:
    on = cores()[:2]
    if len(on) < 2:
        raise BenchmarkError("there is only one core")
    folder = setting.folder / "images"
    sky = make_images(folder, size=size, sources=sources, images=extent.many)
    _cost(setting, sky, extent.many, "processes", on)  # reads files, warms up
    rounds = [_round(setting, sky, extent, on) for _ in range(extent.rounds)]
    shutil.rmtree(folder)
    make = Figures(name=f"{size} x {size}, {sources} sources", rounds=rounds).of
    if extent.further >= ENOUGH_FOR_STEADY:
        steady = "steady"
        yield make("1 core", "images/s", lambda r: r.one.steady, steady, aim)
        yield make("2 cores", "images/s", lambda r: r.two.steady, steady)
        yield make("2 cores / 1", "times", _steady_ratio, steady, TWICE)
        yield make("1 core, CPU", "ms/image", lambda r: r.one.cpu_ms, steady)
    if extent.further >= ENOUGH_FOR_DRIVER:
        driver = "driver of 2 cores, CPU"
        yield make(driver, "ms/image", lambda r: r.two.cpu_ms, "steady")
    whole = f"whole command, {extent.many} images"
    yield make("1 core", "images/s", lambda r: r.one.whole, whole)
    yield make("2 cores", "images/s", lambda r: r.two.whole, whole)
    yield make("2 cores / 1", "times", lambda r: r.two.whole / r.one.whole, whole)


def _steady_ratio(each: Round) -> float:
    return each.two.steady / each.one.steady


def _round(setting: Setting, sky: Sky, extent: Extent, on: Sequence[int]) -> Round:
    return Round(
        one=run_pair(extent, lambda n: _cost(setting, sky, n, "serial", on[:1])),
        two=run_pair(extent, lambda n: _cost(setting, sky, n, "processes", on)),
    )


def _cost(
    setting: Setting, sky: Sky, count: int, engine: str, on: Sequence[int]
) -> Cost:
    out = setting.folder / "run"
    words = [str(sky.first(count)), str(out), engine, str(sky.radius_pix)]
    run = ran(module("onerun", *words, *map(str, on)), setting.folder)
    shutil.rmtree(out)
    said = json.loads(run.output)
    if said["images"] != count or said["unusable"]:
        raise BenchmarkError(f"of {count} images {said['unusable']} were unusable")
    return Cost(wall_s=run.wall_s, cpu_s=said["cpu_s"])
