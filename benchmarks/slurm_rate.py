"""Images per second by two workers on Slurm, beside two processes without it."""

from __future__ import annotations

import resource
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.commands import BenchmarkError, Setting
from benchmarks.figures import Aim, Figure
from benchmarks.pairs import Cost, Extent, Pair, run_pair
from benchmarks.slurm_bench import Bench, bench_on_slurm

EXTENT = Extent(few=100, many=1600, rounds=5)
QUICK_EXTENT = Extent(few=40, many=240, rounds=1)
CLOSE = Aim(limit=0.9, at_least=True, possible=1.2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    here: Pair
    """Two processes of the login host."""
    there: Pair
    """Two workers in a job. CPU time is that of launcher, broker, Slurm's clients."""


def figures(setting: Setting) -> Iterator[Figure]:
    extent = QUICK_EXTENT if setting.quick else EXTENT
    with bench_on_slurm(extent.few, extent.many) as bench:
        _cost(bench, extent.few, bench.site)  # warms up
        rounds = [_round(bench, extent) for _ in range(extent.rounds)]

    def figure(
        name: str,
        unit: str,
        value: Callable[[Round], float],
        remark: str,
        aim: Aim | None = None,
    ) -> Figure:
        values = tuple(map(value, rounds))
        return Figure(name=name, unit=unit, values=values, aim=aim, remark=remark)

    steady, whole = "steady", f"whole command, {extent.many} images"
    two = "2 workers on Slurm"
    yield figure("2 processes", "images/s", lambda r: r.here.steady, steady)
    yield figure(two, "images/s", lambda r: r.there.steady, steady)
    ratio = f"{two} / 2 processes"
    yield figure(ratio, "times", _steady_ratio, steady, CLOSE)
    yield figure(ratio, "times", lambda r: r.there.whole / r.here.whole, whole)
    cpu = "launcher and broker, CPU"
    yield figure(cpu, "ms/image", lambda r: r.there.cpu_ms, steady)


def _steady_ratio(each: Round) -> float:
    return each.there.steady / each.here.steady


def _round(bench: Bench, extent: Extent) -> Round:
    return Round(
        here=run_pair(extent, lambda n: _cost(bench, n, None)),
        there=run_pair(extent, lambda n: _cost(bench, n, bench.site)),
    )


def _cost(bench: Bench, count: int, site: Path | None) -> Cost:
    out = bench.slurm.work / "run"
    before, started = _cpu_s(), time.perf_counter()
    words = bench.run_words(bench.sky.first(count), out, workers=2, site=site)
    said = bench.start(words).wait(1200)
    wall_s, cpu_s = time.perf_counter() - started, _cpu_s() - before
    if said.code:
        raise BenchmarkError(f"a run failed: {said}")
    shutil.rmtree(out)
    return Cost(wall_s=wall_s, cpu_s=cpu_s)


def _cpu_s() -> float:
    """Of all children that are over; workers in jobs are those of Slurm's daemons."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
