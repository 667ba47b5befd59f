"""How soon a run begins on an idle Slurm, beside dask-jobqueue doing the same."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.commands import PYTHON, Setting
from benchmarks.figures import Aim, Figure
from benchmarks.slurm_bench import CORES, JOBS, LIMIT_S, Bench, bench_on_slurm, wait_for

IMAGES = 40


def figures(setting: Setting) -> Iterator[Figure]:
    rounds = 2 if setting.quick else 7
    with bench_on_slurm(IMAGES) as bench:
        _theirs_s(bench, 0)  # reads files, compiles
        pairs = [(_ours_s(bench, n), _theirs_s(bench, n)) for n in range(1, rounds + 1)]
    remark = f"{JOBS} idle nodes; from the command to the first image measured"
    ours, theirs = zip(*pairs, strict=True)
    yield Figure(name="Slurm: first image", unit="s", values=ours, remark=remark)
    name = "dask-jobqueue: first image"
    yield Figure(name=name, unit="s", values=theirs, remark=remark)
    yield Figure(
        name="Slurm: first image, dask-jobqueue's time / ours",
        unit="times",
        values=tuple(their / our for our, their in pairs),
        aim=Aim(limit=1, at_least=True),
    )


def _ours_s(bench: Bench, number: int) -> float:
    out = bench.slurm.work / f"first-{number}"
    words = bench.run_words(
        bench.sky.first(IMAGES), out, workers=JOBS * CORES, site=bench.site
    )
    found = out / "measurements"
    return _first_s(bench, words, lambda: any(found.glob("measure-*.h5")))


def _theirs_s(bench: Bench, number: int) -> float:
    done = bench.slurm.work / f"dask-{number}" / "done"
    done.parent.mkdir()
    os.chown(done.parent, bench.slurm.user.uid, bench.slurm.user.gid)
    numbers = (str(bench.sky.radius_pix), str(JOBS), str(CORES))
    words: list[str | Path] = [PYTHON, "-m", "benchmarks.jobqueue"]
    words += [bench.sky.first(IMAGES), *numbers, done]
    return _first_s(bench, words, done.exists)


def _first_s(
    bench: Bench, words: Sequence[str | Path], there: Callable[[], bool]
) -> float:
    """Time a command to what it makes first, then let it end and the nodes be idle."""
    started = time.perf_counter()
    command = bench.start(words)
    wait_for(there, command)
    took_s = time.perf_counter() - started
    command.wait(LIMIT_S)
    bench.slurm.tidy()
    return took_s
