"""Resuming finishes what is left, whatever was taken away or came back meanwhile."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import h5py
import pytest

from tests.runs import SETTINGS, assert_same, run
from trap_hpc.config import dump
from trap_hpc.errors import CatalogueError, RunError, UsageError
from trap_hpc.paths import RunPaths
from trap_hpc.pipeline.images import pack
from trap_hpc.run import driver
from trap_hpc.run.launch import resume, start
from trap_hpc.run.plan import make_plan
from trap_hpc.run.planfile import read_plan, write_plan
from trap_hpc.run.progress import Progress
from trap_hpc.run.registry import find_run, register
from trap_hpc.run.session.stopping import ask_to_stop


def interrupted(images: list[str], out: Path, when: Callable[[Progress], bool]) -> None:
    """Run with one image a batch until ``when`` is first true of its progress."""

    def watch(progress: Progress) -> None:
        if when(progress):
            raise KeyboardInterrupt

    plan = make_plan(images, out=out, overrides=SETTINGS, engine="serial", batch_size=1)
    with pytest.raises(KeyboardInterrupt):
        start(plan, watch)


def half_done(progress: Progress) -> bool:
    return progress.associated >= 12


def copied(night: list[str], folder: Path) -> list[str]:
    folder.mkdir()
    return [str(shutil.copy(path, folder)) for path in night]


@pytest.fixture
def always_sure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a checkpoint of the catalogue whenever that is possible."""
    monkeypatch.setattr(driver, "CHECKPOINT_S", 0.0)


@pytest.mark.parametrize("name", ["catalogue.sqlite", "lightcurves.h5"])
def test_what_is_missing_of_a_finished_run_is_written_anew(
    night: list[str], reference: Path, tmp_path: Path, name: str
) -> None:
    out = tmp_path / "run"
    summary = run(night, out)
    (out / name).unlink()
    assert resume(str(out)).associated == summary.associated
    assert (out / name).exists()
    assert_same(reference, out)


def test_a_catalogue_that_is_lost_on_the_way_is_written_anew(
    night: list[str], reference: Path, tmp_path: Path, always_sure: None
) -> None:
    out = tmp_path / "run"
    interrupted(night, out, half_done)
    RunPaths(out).catalogue.unlink()
    resume(str(out), engine="serial")
    assert_same(reference, out)


@pytest.mark.parametrize("step", ["measure", "force"])
def test_damaged_measurement_files_are_made_again(
    night: list[str], reference: Path, tmp_path: Path, always_sure: None, step: str
) -> None:
    out = tmp_path / "run"
    interrupted(night, out, half_done)
    for n, file in enumerate(sorted(RunPaths(out).measurements.glob(f"{step}-*"))):
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        (file.unlink, lambda: file.write_bytes(content[:99]), lambda: None)[n % 3]()  # noqa: B023
        if n % 3 == 2:
            file.write_bytes(content)
    resume(str(out), engine="serial")
    assert_same(reference, out)


def test_images_that_come_back_do_not_upset_what_is_in_the_catalogue(
    night: list[str], reference: Path, tmp_path: Path, always_sure: None
) -> None:
    """They keep their blind rows alone until they are tried again on request."""
    images, away, out = tmp_path / "images", tmp_path / "away", tmp_path / "run"
    copies = copied(night, images)

    def vanish_for_a_while(progress: Progress) -> bool:
        if progress.measured == 11 and images.exists():
            images.rename(away)
        elif progress.measured >= 13 and away.exists():
            away.rename(images)
        return progress.associated >= 20

    interrupted(copies, out, vanish_for_a_while)
    with sqlite3.connect(RunPaths(out).ledger) as ledger:
        lost = "SELECT count(*) FROM refusal WHERE step = 'force'"
        assert ledger.execute(lost).fetchone() > (0,)
    assert len(resume(str(out), engine="serial").refusals) > 2
    resume(str(out), engine="serial", retry_refused=True)
    assert_same(reference, out)


def test_a_lost_file_is_made_again_in_one_go(
    night: list[str], reference: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    run(night, out, batch_size=50)
    RunPaths(out).catalogue.unlink()
    (lost,) = RunPaths(out).measurements.glob("measure-*")
    lost.unlink()
    resume(str(out), engine="processes", workers=1)
    with sqlite3.connect(RunPaths(out).ledger) as ledger:
        query = "SELECT count(*) FROM batch WHERE step = 'measure'"
        (batches,) = ledger.execute(query).fetchone()
    assert batches <= 9, "the last of a queue go in small batches"
    assert_same(reference, out)


def test_a_damaged_plane_is_refused_again_when_tried_again(
    night: list[str], tmp_path: Path
) -> None:
    good = [path for path in night if not path.endswith("text.fits")]
    packed, out = tmp_path / "night.h5", tmp_path / "run"
    pack(good, packed)
    with h5py.File(str(packed), "r+") as file:
        file["planes"][3] = b"damaged"
    first = run([str(packed)], out)
    again = resume(str(out), engine="serial", retry_refused=True)
    assert first.exit_code == again.exit_code == 3
    assert first.refusals == again.refusals
    assert first.associated == again.associated


def test_association_may_be_left_for_the_workers_at_any_step(
    night: list[str],
    reference: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    always_sure: None,
) -> None:
    monkeypatch.setattr(driver, "AT_A_TIME_S", 0.0)
    interrupted(night, tmp_path / "run", half_done)
    resume(str(tmp_path / "run"), engine="processes", workers=2)
    assert_same(reference, tmp_path / "run")


def test_images_lost_with_their_measurements_are_told_and_the_rest_is_kept(
    night: list[str], tmp_path: Path, always_sure: None
) -> None:
    images, out = tmp_path / "images", tmp_path / "run"
    interrupted(copied(night, images), out, half_done)
    for file in RunPaths(out).measurements.glob("measure-*"):
        file.unlink()
    for lost in images.glob("t*"):
        lost.unlink()
    with pytest.raises(CatalogueError, match="Remove it"):
        resume(str(out), engine="serial")
    RunPaths(out).catalogue.unlink()
    assert len(resume(str(out), engine="serial").refusals) >= len(night) - 3


def test_parameters_do_not_change_on_the_way(night: list[str], tmp_path: Path) -> None:
    out = tmp_path / "run"
    interrupted(night, out, half_done)
    path = RunPaths(out).parameters
    path.write_text(path.read_text().replace("expiration = 3", "expiration = 4"))
    with pytest.raises(RunError, match="is not what the run was begun with"):
        resume(str(out))


def test_a_plan_keeps_any_database_url(night: list[str], tmp_path: Path) -> None:
    url = 'postgresql://me@[::1]/a"b\\\\c d'
    plan = make_plan(night, out=tmp_path, engine="serial", database=url)
    write_plan(plan, dump(plan.parameters))
    assert read_plan(tmp_path).database == url


@pytest.mark.parametrize("name", ["with space ", "new\nline\n", "q'u\"o$te"])
def test_a_run_is_found_in_a_folder_of_any_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    RunPaths(tmp_path / name).plan.touch()
    register("trap-anyname", tmp_path / name)
    assert find_run("trap-anyname") == tmp_path / name


def test_an_old_request_to_stop_is_not_for_a_resumed_run(
    night: list[str], reference: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    interrupted(night, out, half_done)
    ask_to_stop(RunPaths(out))
    resume(str(out), engine="serial")
    assert not RunPaths(out).stop_request.exists()
    assert_same(reference, out)


def test_a_copy_of_a_run_that_is_still_there_is_refused(
    night: list[str], tmp_path: Path
) -> None:
    """Both would have jobs of the same name."""
    original, copy = tmp_path / "run", tmp_path / "copy"
    interrupted(night, original, half_done)
    shutil.copytree(original, copy)
    with pytest.raises(UsageError, match=f"copy of trap-.* is still in {original}"):
        resume(str(copy), engine="serial")


def test_a_run_that_was_moved_is_resumed(
    night: list[str], reference: Path, tmp_path: Path
) -> None:
    interrupted(night, tmp_path / "run", half_done)
    moved = (tmp_path / "run").rename(tmp_path / "moved")
    resume(str(moved), engine="serial")
    assert_same(reference, moved)
