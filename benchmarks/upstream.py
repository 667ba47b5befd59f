"""PyPI ``trap`` on the same images, in an environment of its own.

The environment is made once and kept beside this file. ``trap`` gets the parameters
that trap_hpc uses. Each round runs both over a few images and over many, one after the
other, on all cores.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.commands import (
    PYTHON,
    BenchmarkError,
    Ran,
    Setting,
    ran,
    trap_hpc,
)
from benchmarks.figures import Figure
from benchmarks.pairs import Cost, Extent, Pair, run_pair
from benchmarks.sky import Sky, make_images
from trap_hpc.config.parameters import SourceExtraction

VERSION = "1.4.0"
VENV = Path(__file__).parent / ".trap-venv"
NAME = f"PyPI trap {VERSION}"
EXTENT = Extent(few=20, many=120, rounds=3)
QUICK_EXTENT = Extent(few=10, many=40, rounds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    theirs: Pair
    ours: Pair


def figures(setting: Setting) -> Iterator[Figure]:
    _install(setting)
    extent = QUICK_EXTENT if setting.quick else EXTENT
    folder = setting.folder / "images"
    sky = make_images(folder, size=512, sources=64, images=extent.many)
    rounds = [_round(setting, sky, extent) for _ in range(extent.rounds)]

    def figure(
        name: str, unit: str, value: Callable[[Round], float], remark: str
    ) -> Figure:
        return Figure(
            name=name, unit=unit, values=tuple(map(value, rounds)), remark=remark
        )

    steady = "steady: imports and compilation don't count"
    whole = f"whole command, {extent.many} images"
    ratio = f"trap_hpc / {NAME}"
    yield figure(NAME, "images/s", lambda r: r.theirs.steady, steady)
    yield figure(NAME, "images/s", lambda r: r.theirs.whole, whole)
    yield figure(f"{NAME}: CPU", "ms/image", lambda r: r.theirs.cpu_ms, "steady")
    yield figure(ratio, "times", lambda r: r.ours.steady / r.theirs.steady, "steady")
    yield figure(ratio, "times", lambda r: r.ours.whole / r.theirs.whole, whole)


def _install(setting: Setting) -> None:
    """Make the environment, unless it is there.

    Raises
    ------
    BenchmarkError
        It can't be installed here.
    """
    done = VENV / f"trap-{VERSION}"
    if done.exists():
        return
    shutil.rmtree(VENV, ignore_errors=True)
    ran([PYTHON, "-m", "venv", str(VENV)], setting.folder)
    pip = [str(VENV / "bin" / "pip"), "install", "--quiet", f"trap=={VERSION}"]
    ran(pip, setting.folder)
    done.touch()


def _round(setting: Setting, sky: Sky, extent: Extent) -> Round:
    return Round(
        theirs=run_pair(extent, lambda n: _their_cost(setting, sky, n)),
        ours=run_pair(extent, lambda n: _our_cost(setting, sky, n)),
    )


def _our_cost(setting: Setting, sky: Sky, count: int) -> Cost:
    out = setting.folder / "run"
    radius = f"extraction_radius_pix={sky.radius_pix}"
    words = ("run", sky.first(count), "--quiet", "--set", radius, "--out", out)
    run = ran(trap_hpc(*words), setting.folder)
    shutil.rmtree(out)
    return Cost(wall_s=run.wall_s, cpu_s=run.cpu_s)


def _their_cost(setting: Setting, sky: Sky, count: int) -> Cost:
    out = setting.folder / "upstream"
    out.mkdir()
    command = [str(VENV / "bin" / "trap-run"), *_their_options(sky, count, out)]
    run = ran(command, setting.folder)
    _check(run, count)
    shutil.rmtree(out)
    return Cost(wall_s=run.wall_s, cpu_s=run.cpu_s)


def _their_options(sky: Sky, count: int, out: Path) -> list[str]:
    ours = SourceExtraction(extraction_radius_pix=sky.radius_pix)
    values = {
        "--input_images": sky.first(count),
        "--db_name": out / "trap.db",
        "--log_dir": out,
        "--nr_threads": os.cpu_count(),
        # Without this one it fails, at the first forced fit.
        "--max_nr_consecutive_force_fits": ours.expiration,
        "--detection_threshold": ours.detection_threshold,
        "--analysis_threshold": ours.analysis_threshold,
        "--im_radius": round(ours.extraction_radius_pix),
        "--im_margin": ours.margin,
        "--im_back_size_x": ours.back_size_x,
        "--im_back_size_y": ours.back_size_y,
        "--ew_sys_err": ours.ew_sys_err,
        "--ns_sys_err": ours.ns_sys_err,
    }
    options = [str(word) for pair in values.items() for word in pair]
    return [*options, "--force_beam"]


def _check(run: Ran, count: int) -> None:
    """It must have found sources, in all images."""
    found = run.output.count("Number of detected sources")
    if found != count:
        raise BenchmarkError(f"{NAME} measured {found} of {count} images")
