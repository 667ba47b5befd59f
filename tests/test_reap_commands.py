"""Commands that remove what dead launchers left: `reap`, and all others besides."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from tests.command_line import CommandLine
from tests.sessions import Stage, a_record
from tests.stand_ins import RUN
from tests.test_reap import gone, left_behind, of_process
from trap_hpc.paths import RunPaths
from trap_hpc.run.registry import register
from trap_hpc.run.session.record import write_session


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


@pytest.fixture
def dead_run(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> RunPaths:
    """Of the local scheduler, which is always there to be asked."""
    monkeypatch.setenv("XDG_STATE_HOME", str(stage.directory / "state"))
    stage.paths.plan.write_text("schema_version = 1\n")
    register(RUN, stage.directory)
    record = of_process(gone(), scheduler="local", cluster=platform.node())
    left_behind(stage, record)
    return stage.paths


def test_the_command_says_what_it_removed(
    dead_run: RunPaths, capsys: pytest.CaptureFixture[str]
) -> None:
    trap_hpc = CommandLine(capsys)
    dry = trap_hpc("reap", RUN, "--dry-run", "--json")
    assert dry.record["runs"][0]["verdict"] == "dead"
    assert dead_run.broker.exists()
    done = trap_hpc("reap", RUN)
    assert done.code == 0
    assert done.out == (
        f"{RUN} its launcher is gone; 3 jobs submitted, 0 left (asked process table)\n"
    )
    assert not dead_run.broker.exists()
    assert trap_hpc("reap", RUN).out == "nothing is left behind\n"


def test_any_command_removes_what_died_here_and_says_so(
    dead_run: RunPaths, capsys: pytest.CaptureFixture[str]
) -> None:
    said = CommandLine(capsys)("runs")
    assert said.code == 0
    assert said.err == (
        f"trap-hpc: {RUN} was left behind: its launcher is gone; 3 jobs submitted, "
        "0 left (asked process table)\n"
    )
    assert not dead_run.broker.exists()
    assert not CommandLine(capsys)("runs").err


def test_help_looks_for_nothing(
    dead_run: RunPaths, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (["--help"], ["--version"], ["runs", "--help"]):
        assert not CommandLine(capsys)(*words).err
    assert dead_run.broker.exists()


def test_what_may_live_elsewhere_is_left_to_reap(
    dead_run: RunPaths, capsys: pytest.CaptureFixture[str]
) -> None:
    write_session(dead_run.directory, a_record(scheduler="local"))
    assert not CommandLine(capsys)("runs").err
    assert dead_run.broker.exists()
