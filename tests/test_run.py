"""The catalogue does not depend on how, in what order and how often it was begun."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.sky import crowded_night
from trap_hpc.catalogue.compare import compare
from trap_hpc.run.launch import resume, start
from trap_hpc.run.paths import RunPaths
from trap_hpc.run.plan import make_plan
from trap_hpc.run.progress import Summary

SETTINGS = ("force_beam=false", "ew_sys_err=5", "ns_sys_err=5", "expiration=3")


@pytest.fixture(scope="session")
def night(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return crowded_night(tmp_path_factory.mktemp("night"))


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


@pytest.fixture(scope="session")
def reference(night: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A serial run over the night, in its usual order."""
    out = tmp_path_factory.mktemp("runs") / "reference"
    run(night, out)
    return out


def assert_same(one: Path, other: Path) -> None:
    comparison = compare(one, other)
    assert comparison.equal, str(comparison)


def test_the_night_has_what_it_is_meant_to_have(
    night: list[str], reference: Path
) -> None:
    """Splits, failed and successful forced fits, a rejection and a refusal."""
    import sqlite3

    db = sqlite3.connect(RunPaths(reference).catalogue)
    types = dict(db.execute("SELECT type, count(*) FROM assocxtrsource GROUP BY type"))
    assert {2, 3, 4, 6, 7} <= types.keys()
    assert db.execute("SELECT count(*) FROM rejection").fetchone() == (1,)
    refusals = db.execute("SELECT kind, url FROM trap_hpc_refusal ORDER BY url")
    kinds = [(kind, Path(url).name) for kind, url in refusals]
    assert kinds == [("duplicate", "t11_b0.fits"), ("unreadable", "text.fits")]


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_any_number_of_processes_gives_the_same_catalogue(
    night: list[str], reference: Path, tmp_path: Path, workers: int
) -> None:
    run(night, tmp_path / "run", "processes", workers)
    assert_same(reference, tmp_path / "run")


@pytest.mark.parametrize("batch_size", [1, 50])
def test_any_batch_size_gives_the_same_catalogue(
    night: list[str], reference: Path, tmp_path: Path, batch_size: int
) -> None:
    run(night, tmp_path / "run", "processes", 2, batch_size)
    assert_same(reference, tmp_path / "run")


def test_any_order_of_input_gives_the_same_catalogue(
    night: list[str], reference: Path, tmp_path: Path
) -> None:
    for name, images in (("sorted", sorted(night)), ("reversed", sorted(night)[::-1])):
        run(images, tmp_path / name)
        assert_same(reference, tmp_path / name)


@pytest.mark.slow
def test_a_killed_run_resumes_to_the_same_catalogue(
    night: list[str], reference: Path, tmp_path: Path
) -> None:
    """Ten moments from the first second of a run to its last."""
    command = [sys.executable, "-m", "trap_hpc", "run", *night]
    command += [word for setting in SETTINGS for word in ("--set", setting)]
    for moment in range(10):
        out = tmp_path / f"run{moment}"
        flags = ["--out", str(out), "--batch-size", "2", "--workers", "2", "--quiet"]
        process = subprocess.Popen(command + flags)
        kill_after(process, out, files=4 * moment)
        resume(str(out), engine="serial")
        assert_same(reference, out)


def kill_after(process: subprocess.Popen[bytes], out: Path, files: int) -> None:
    """Kill a run once it has written so many measurement files, or at its end."""
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        if RunPaths(out).ledger.exists() and written(out) >= files:
            os.kill(process.pid, signal.SIGKILL)
            break
        time.sleep(0.002)
    process.wait(60)


def written(out: Path) -> int:
    return sum(not p.name.startswith(".") for p in RunPaths(out).measurements.iterdir())
