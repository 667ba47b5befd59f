"""Commands that make runs and images."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.command_line import CommandLine, Said
from tests.runs import SETTINGS
from trap_hpc.errors import StorageError
from trap_hpc.run import launch

SET = [word for setting in SETTINGS for word in ("--set", setting)]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(capsys)


@pytest.fixture
def few(night: list[str]) -> list[str]:
    """A handful of good images."""
    return [path for path in sorted(night) if "_b0" in path][:3]


@pytest.fixture
def text_image(tmp_path: Path) -> Path:
    path = tmp_path / "text.fits"
    path.write_text("no image at all\n")
    return path


def run(call: CommandLine, images: list[str], out: Path, *words: object) -> Said:
    return call("run", *images, "--out", out, "--engine", "serial", *SET, *words)


def test_a_run_sums_up_what_came_of_it(
    call: CommandLine, few: list[str], tmp_path: Path
) -> None:
    said = run(call, few, tmp_path / "run")
    assert said.code == 0
    assert "3 of 3 images are in the catalogue" in said.out
    assert "next:" in said.out
    assert "associating" in said.err


def test_bad_images_are_named_and_tried_again(
    call: CommandLine, few: list[str], text_image: Path, tmp_path: Path
) -> None:
    good, out = Path(few[0]), tmp_path / "run"
    said = run(call, [*few[1:], str(text_image)], out)
    assert said.code == 3
    assert "unreadable    1" in said.out
    assert "text.fits" in said.out
    text_image.write_bytes(good.read_bytes())
    said = call("resume", out, "--retry-refused", "--json", "--engine", "serial")
    assert said.code == 0
    assert said.record["associated"] == 3
    assert said.record["refusals"] == []


def test_a_quiet_run_says_nothing(
    call: CommandLine, few: list[str], tmp_path: Path
) -> None:
    said = run(call, few, tmp_path / "run", "--quiet")
    assert (said.code, said.out, said.err) == (0, "", "")


def test_a_quiet_run_with_json_prints_json_alone(
    call: CommandLine, few: list[str], tmp_path: Path
) -> None:
    said = run(call, few, tmp_path / "run", "--quiet", "--json")
    assert said.err == ""
    assert said.record["schema_version"] == 1
    assert said.record["images"] == 3


def test_the_latest_run_is_called_last(
    call: CommandLine, few: list[str], tmp_path: Path
) -> None:
    run(call, few, tmp_path / "run")
    listed = call("runs", "--json").record["runs"]
    assert listed[-1]["directory"] == str(tmp_path / "run")
    assert call("candidates", "last").code == 0
    assert call("show", listed[-1]["run_id"], 1).code == 0


def test_monitored_positions_get_a_light_curve(
    call: CommandLine, few: list[str], tmp_path: Path
) -> None:
    run(call, few, tmp_path / "first", "--quiet")
    first = call("candidates", tmp_path / "first", "--min-v", 0, "--json").record
    source = first["rows"][0]
    place = json.dumps([[source["ra"], source["decl"]]])
    assert run(call, few, tmp_path / "run", "-q", "-m", place).code == 0
    call("export", tmp_path / "run", "--format", "csv", "--out", tmp_path / "csv")
    curves = (tmp_path / "csv" / "light_curves.csv").read_text().splitlines()
    column = curves[0].split(",").index("extract_type")
    assert sum(line.split(",")[column] == "2" for line in curves) == 3


def test_an_output_folder_that_is_not_empty_is_refused(
    call: CommandLine, few: list[str], tmp_path: Path
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "precious").touch()
    said = run(call, few, tmp_path / "run")
    assert said.code == 2
    assert "not empty" in said.err
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["precious"]


def test_an_output_folder_that_cannot_be_made_is_refused(
    call: CommandLine, few: list[str], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    said = run(call, few, tmp_path / "file" / "run")
    assert said.code == 2
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("error", "code"), [(KeyboardInterrupt(), 130), (StorageError("disk full"), 1)]
)
def test_a_run_that_was_stopped_says_how_to_go_on(
    call: CommandLine,
    few: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    code: int,
) -> None:
    def stop(run: str, **_: object) -> None:
        raise error

    monkeypatch.setattr(launch, "resume", stop)
    said = run(call, few, tmp_path / "run")
    assert said.code == code
    assert said.err.splitlines()[-1].startswith(
        "What was done is kept: `trap-hpc resume trap-"
    )


def test_who_mended_a_profile_is_told_how_to_use_it(
    call: CommandLine, few: list[str], tmp_path: Path
) -> None:
    words = ("--site", "local", "--workers", 1, "--site-set", "tls=off")
    out = tmp_path / "run"
    wrong = ("--site-set", "broker_binary=/bin/false")
    said = call("run", *few, "--out", out, *words, *wrong)
    assert said.code == 1
    assert "/bin/false" in said.err
    assert "after a change of the profile name that with --site" in said.err
    assert call("resume", out, "--site", "local", "--cores", 1, "--quiet").code == 0


def test_images_are_simulated_and_packed(call: CommandLine, tmp_path: Path) -> None:
    words = ("--images", 6, "--size", 128, "--sources", 2, "--variables", 0)
    said = call("simulate", tmp_path / "sky", *words, "--transients", 0)
    assert said.code == 0
    assert "--set extraction_radius_pix=" in said.out
    assert len(list((tmp_path / "sky").glob("*.fits"))) == 6
    said = call("pack", tmp_path / "sky", "--out", tmp_path / "sky.h5")
    assert said.code == 0
    assert "6 images are in" in said.out


def test_commands_to_go_on_with_can_be_pasted(
    call: CommandLine, few: list[str], tmp_path: Path
) -> None:
    out = tmp_path / "night $1.h5"
    assert f"trap-hpc run '{out}'" in call("pack", *few, "-o", out).out


@pytest.mark.parametrize("command", ["simulate", "demo"])
def test_a_seed_below_zero_is_wrong_usage(
    call: CommandLine, tmp_path: Path, command: str
) -> None:
    out = [tmp_path, "--images", 12] if command == "simulate" else ["--out", tmp_path]
    said = call(command, *out, "--seed", -1)
    assert said.code == 2
    assert "--seed" in said.err


def test_what_could_not_be_packed_is_said(
    call: CommandLine, few: list[str], text_image: Path, tmp_path: Path
) -> None:
    said = call("pack", *few, text_image, "-o", tmp_path / "night.h5")
    assert said.code == 3
    assert "text.fits" in said.out
    said = call("pack", text_image, "-o", tmp_path / "none.h5", "--json")
    assert said.code == 3
    assert said.record["packed"] == 0


def test_the_demo_finds_every_transient(call: CommandLine, tmp_path: Path) -> None:
    said = call("demo", "--out", tmp_path / "demo", "--images", 16)
    assert said.code == 0, said.out + said.err
    assert said.out.count("likely transient ") == 2
    assert "Every injected transient is a likely transient" in said.out
