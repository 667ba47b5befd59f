"""The catalogue does not depend on how, in what order and how often it was begun."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

import trap_hpc
from tests.runs import SETTINGS, assert_same, kill_after, run
from trap_hpc.cli.watch import done
from trap_hpc.paths import RunPaths
from trap_hpc.run.launch import resume, start
from trap_hpc.run.plan import make_plan
from trap_hpc.run.progress import Progress


def test_the_night_has_what_it_is_meant_to_have(
    night: list[str], reference: Path
) -> None:
    """Splits, failed and successful forced fits, a rejection and a refusal."""
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


def test_python_finds_a_run_by_the_beginning_of_its_id(
    night: list[str], tmp_path: Path
) -> None:
    run_id = run(night[:2], tmp_path / "run").run_id
    with trap_hpc.open_run(run_id[:-1]) as opened, trap_hpc.open_run("last") as last:
        assert len(opened.images()) == len(last.images())


def test_a_run_counts_every_image_to_its_end(night: list[str], tmp_path: Path) -> None:
    """Those that are there twice, too: a bar must not stop short."""
    told: list[Progress] = []
    plan = make_plan(night, out=tmp_path / "run", overrides=SETTINGS, engine="serial")
    start(plan, told.append)
    assert told[-1].duplicates == 1
    unused = told[-1].rejected + told[-1].refused + told[-1].duplicates
    assert told[-1].associated + unused == told[-1].images == done(told[-1])
