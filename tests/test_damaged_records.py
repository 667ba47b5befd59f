"""What a run says of itself may be damaged: that is left out, and no command fails."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.command_line import CommandLine
from tests.sessions import a_record
from trap_hpc.alive import this_machine, this_process
from trap_hpc.paths import RunPaths
from trap_hpc.run.progress import Progress
from trap_hpc.run.registry import register

COMMANDS = ("runs", "status", "logs", "reap", "stop")
NONSENSE = ["", "null", "5", "[]", "{}", "[" * 100_000, '{"phase": 5, "up": true}']
PROGRESS = asdict(
    Progress(
        phase="measuring",
        images=1,
        scanned=1,
        measured=0,
        associated=0,
        refused=0,
        elapsed_s=1.0,
        rate_per_s=0.0,
        left_s=None,
    )
)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunPaths:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    paths = RunPaths(tmp_path / "run")
    paths.make()
    paths.plan.write_text("schema_version = 1\n")
    register("trap-damaged", paths.directory)
    return paths


def assert_all_answer(run: RunPaths, capsys: pytest.CaptureFixture[str]) -> None:
    for command in COMMANDS:
        words = [command] if command == "runs" else [command, run.directory]
        said = CommandLine(capsys)(*words)
        assert "should not happen" not in said.err, f"{command}: {said}"
        assert "Traceback" not in said.err, f"{command}: {said}"


@pytest.mark.parametrize("text", NONSENSE)
def test_records_may_hold_nonsense(
    run: RunPaths, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    run.session.write_text(text)
    run.status.write_text(text)
    assert_all_answer(run, capsys)


@pytest.mark.parametrize("pid", [0, -1, 10**20])
def test_a_launcher_may_have_no_possible_number(
    run: RunPaths, capsys: pytest.CaptureFixture[str], pid: int
) -> None:
    us = this_process()
    record = a_record(
        scheduler="local", site="local", pid=pid, host=us.host, machine=this_machine()
    )
    run.session.write_text(json.dumps({"schema_version": 1, **asdict(record)}))
    assert_all_answer(run, capsys)


@pytest.mark.parametrize(
    "changes",
    [
        {"staff": 5},
        {"staff": {"groups": 5}},
        {"images": "many"},
        {"launcher": "me"},
        {"launcher": {"host": "h", "machine": "m", "pid": [], "began_s": 0.0}},
    ],
)
def test_progress_may_be_of_other_types(
    run: RunPaths, capsys: pytest.CaptureFixture[str], changes: dict[str, object]
) -> None:
    run.status.write_text(json.dumps({**PROGRESS, **changes}))
    assert_all_answer(run, capsys)
