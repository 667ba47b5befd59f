"""Bad input beside good images: a sentence, the right exit code, and the run kept."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.command_line import CommandLine, Said
from tests.damage import UNREADABLE, half_nan, pixels
from tests.full import files_end_at
from tests.runs import SETTINGS
from trap_hpc.run.plan import make_plan
from trap_hpc.run.prepare import prepare

GOOD = 3
SET = [word for setting in SETTINGS for word in ("--set", setting)]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(capsys)


@pytest.fixture
def images(night: list[str], tmp_path: Path) -> Path:
    """A folder of good images of one band, the last of them to be spoiled."""
    folder = tmp_path / "images"
    folder.mkdir()
    of_band = [path for path in sorted(night) if path.endswith("_b0.fits")]
    for path in of_band[: GOOD + 1]:
        shutil.copy(path, folder)
    return folder


@pytest.fixture
def victim(images: Path) -> Path:
    return max(images.iterdir())


def run(call: CommandLine, *words: object) -> Said:
    said = call("run", *words, "--engine", "serial", *SET)
    assert "Traceback" not in said.out + said.err
    assert "should not happen" not in said.err
    return said


@pytest.mark.parametrize("what", UNREADABLE)
def test_an_unreadable_image_is_named_and_all_others_are_used(
    call: CommandLine, images: Path, victim: Path, tmp_path: Path, what: str
) -> None:
    damage, words = UNREADABLE[what]
    damage(victim)
    said = run(call, images, "--out", tmp_path / "run")
    assert said.code == 3
    assert f"{GOOD} of {GOOD + 1} images are in the catalogue" in said.out
    assert "unreadable    1" in said.out
    assert words in said.out
    assert victim.name in said.out
    assert "--retry-refused" in said.out
    assert call("candidates", tmp_path / "run").code == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda values: values * np.nan, "no pixel is a finite number"),
        (lambda values: values * 0 + 1, "data is flat"),
    ],
    ids=["all NaN", "constant"],
)
def test_an_image_without_a_signal_is_rejected_in_words(
    call: CommandLine,
    images: Path,
    victim: Path,
    tmp_path: Path,
    change: Callable[[Any], Any],
    words: str,
) -> None:
    pixels(change)(victim)
    said = run(call, images, "--out", tmp_path / "run")
    assert said.code == 0
    assert "rejected      1 by quality checks" in said.out
    assert words in said.out
    assert victim.name in said.out


def test_an_image_half_of_nan_is_used(
    call: CommandLine, images: Path, victim: Path, tmp_path: Path
) -> None:
    pixels(half_nan)(victim)
    said = run(call, images, "--out", tmp_path / "run", "--json")
    assert said.code == 0
    assert said.record["associated"] == GOOD + 1


@pytest.mark.parametrize("name", ["image.txt", "image", "image.png"])
def test_an_image_of_another_extension_is_used_if_it_is_named(
    call: CommandLine, images: Path, victim: Path, tmp_path: Path, name: str
) -> None:
    other = victim.rename(tmp_path / name)
    said = run(call, images, other, "--out", tmp_path / "run", "--json")
    assert said.code == 0
    assert said.record["associated"] == GOOD + 1


def test_the_same_image_twice_counts_once(
    call: CommandLine, images: Path, victim: Path, tmp_path: Path
) -> None:
    shutil.copy(victim, images / "again.fits")
    said = run(call, images, "--out", tmp_path / "run")
    assert said.code == 0
    assert f"{GOOD + 1} of {GOOD + 2} images are in the catalogue" in said.out
    assert "same content as" in said.out
    assert "again.fits" in said.out


def test_two_images_of_one_time_and_band_are_both_used_and_named(
    call: CommandLine, images: Path, victim: Path, tmp_path: Path
) -> None:
    shutil.copy(victim, images / "again.fits")
    pixels(lambda values: values * 1.001)(images / "again.fits")
    said = run(call, images, "--out", tmp_path / "run")
    assert said.code == 0
    assert f"{GOOD + 2} of {GOOD + 2} images are in the catalogue" in said.out
    assert "both are used" in said.out


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["gone.fits"], "gone.fits: no such file or folder"),
        (["*.gone"], "nothing matches"),
        (["empty"], "no images right in this folder"),
        (["@gone.txt"], "the list can't be read: No such file"),
        (["images", "--out", "images"], "name another --out"),
        (["images", "--set", "detection_treshold=5"], "is detection_threshold in"),
        (["images", "--set", "detection_threshold=-5"], "it must be above 0"),
        (["images", "--set", "margin=wide"], "margin"),
        (["images", "--set", "mode=stream"], "streaming is not offered"),
        (["images", "--params", "gone.toml"], "can't read the parameter file"),
        (["images", "--params", "bad.toml"], "bad.toml is not valid TOML"),
        (["images", "--params", "bad.cfg"], "bad.cfg, line 1"),
        (["images", "--params", "stream.cfg"], "stream.cfg, line 2"),
        (["images", "--db", "mysql://host/db"], "postgresql://user@host/database"),
        (["images", "--db", "postgresql://me:word@host/db"], "~/.pgpass"),
        (["images", "--workers", "0"], "--workers"),
        (["images", "-m", "1,2"], "[[ra,dec],...]"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_said_and_nothing_is_done(
    call: CommandLine,
    images: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    answer: str,
) -> None:
    monkeypatch.chdir(images.parent)
    Path("empty").mkdir()
    Path("bad.toml").write_text("[quality]\nrms_est_max = = 1\n")
    Path("bad.cfg").write_text("[quality\nrms_est_max = 1\n")
    Path("stream.cfg").write_text("[pipeline]\nmode = stream\n")
    before = sorted(images.parent.rglob("*"))
    said = run(call, *words)
    assert said.code == 2
    assert answer in said.err
    assert "word@" not in said.err
    assert sorted(images.parent.rglob("*")) == before


def test_a_database_that_is_not_there_is_told_before_the_work(
    call: CommandLine, images: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    said = run(call, images, "--out", out, "--db", "postgresql://127.0.0.1:1/no")
    assert said.code == 1
    assert "127.0.0.1" in said.err
    assert "trap-hpc resume" in said.err


def test_a_disk_that_is_full_from_the_start_is_told_and_nothing_is_left(
    call: CommandLine, images: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    with files_end_at(60_000):
        said = run(call, images, "--out", out)
    assert said.code == 1
    assert said.err.splitlines()[-1] == "Nothing was done yet."
    assert list(out.iterdir()) == []
    assert run(call, images, "--out", out).code == 0


def test_a_disk_that_gets_full_is_told_and_the_run_is_kept(
    call: CommandLine, images: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    prepare(make_plan([str(images)], out=out, overrides=SETTINGS, engine="serial"))
    with files_end_at(60_000):
        said = call("resume", out)
    assert said.code == 1
    assert said.err.splitlines()[-1].startswith("What was done is kept")
    said = call("resume", out, "--engine", "serial", "--json")
    assert said.code == 0
    assert said.record["associated"] == GOOD + 1


def test_an_export_that_can_not_be_written_says_to_export_again(
    call: CommandLine, images: Path, tmp_path: Path
) -> None:
    run(call, images, "--out", tmp_path / "run")
    said = call("export", tmp_path / "run", "--out", images)
    assert said.code == 1
    assert "export again" in said.err
