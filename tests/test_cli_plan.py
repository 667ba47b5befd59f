"""What a run would do, said before it is done."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command_line import CommandLine


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(capsys)


@pytest.fixture
def few(night: list[str]) -> list[str]:
    """A handful of good images."""
    return [path for path in sorted(night) if "_b0" in path][:3]


@pytest.mark.parametrize("words", [["plan"], ["run", "--dry-run"]])
def test_a_plan_is_told_and_nothing_is_done(
    call: CommandLine, few: list[str], tmp_path: Path, words: list[str]
) -> None:
    out = tmp_path / "run"
    said = call(*words, *few, "--out", out, "--set", "margin=20", "-m", "[[1,2]]")
    assert said.code == 0
    assert "margin = 20  # --set" in said.out
    assert "back_size_x = 50  # default" in said.out
    assert "monitoring     1 position\n" in said.out
    assert not out.exists()


@pytest.mark.parametrize(
    ("workers", "jobs"),
    [
        (1, "1, with 1 core and 1 worker"),
        (2, "1, with 2 cores and 2 workers"),
        (3, "2, each with 2 cores and 2 workers"),
    ],
)
def test_a_plan_counts_jobs(
    call: CommandLine, few: list[str], workers: int, jobs: str
) -> None:
    words = ("--site", "local", "--cores", 2, "--workers", workers)
    assert f"\njobs           {jobs}\n" in call("plan", *few, *words).out


def test_a_plan_for_programs_has_every_origin(
    call: CommandLine, few: list[str]
) -> None:
    record = call("plan", *few, "--workers", "3", "--json").record
    assert record["workers"] == 3
    assert record["origins"]["quality.rms_est_max"] == "default"
    assert record["images"] == few


def test_a_plan_for_a_site_has_its_job_script_and_its_commands(
    call: CommandLine, few: list[str], tmp_path: Path
) -> None:
    words = ("--site", "local", "--cores", 2, "--workers", 4)
    said = call("plan", *few, "--out", tmp_path / "run", *words)
    assert said.code == 0
    assert "jobs           2, each with 2 cores and 2 workers" in said.out
    assert f"-m trap_hpc.worker {tmp_path / 'run'} 1" in said.out
    assert f"bash {tmp_path / 'run'}/job.sh" in said.out
    assert not (tmp_path / "run").exists()
    record = call("plan", *few, *words, "--json").record
    assert record["site"]["cores"] == 2
    assert record["site_origins"]["cores"] == "command line"
    assert record["preview"]["jobs"] == 2


def test_a_long_value_does_not_push_the_origins_out_of_sight(
    call: CommandLine, few: list[str]
) -> None:
    words = ("--site", "setonix", "--workers", 1, "--account", "a" * 100)
    lines = call("plan", *few, *words).out.splitlines()
    (queue,) = [line for line in lines if line.startswith("queue ")]
    assert len(queue) < 90
    assert any(line.endswith(f'"{"a" * 100}"  command line') for line in lines)
