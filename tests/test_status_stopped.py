"""Looking at a run on which nobody works any more."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from tests.command_line import CommandLine
from tests.sessions import a_record
from tests.stand_ins import RUN
from tests.test_reap import gone, of_process
from tests.test_status import a_progress
from trap_hpc.alive import this_process
from trap_hpc.cli.watch import sentence
from trap_hpc.paths import RunPaths
from trap_hpc.run.attaching import Ending
from trap_hpc.run.overview import overview
from trap_hpc.run.progress import Progress
from trap_hpc.run.registry import register
from trap_hpc.run.session.record import write_session
from trap_hpc.run.status import write_status
from trap_hpc.run.tally import Tally


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunPaths:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    paths = RunPaths(tmp_path / "run")
    paths.make()
    paths.plan.write_text("schema_version = 1\n")
    return paths


@pytest.fixture
def trap_hpc(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(capsys)


def test_a_run_whose_launcher_was_killed_is_at_nothing(
    run: RunPaths, trap_hpc: CommandLine
) -> None:
    write_status(run.status, a_progress(staff=None))
    write_session(run.directory, of_process(gone()))
    register(RUN, run.directory)
    told = trap_hpc("status", run.directory).out
    assert (
        "progress  stopped: 40 of 300 images measured, 2 refused, 4 images/s, 17 "
        in told
    )
    assert trap_hpc("runs").out.splitlines()[1].split()[:3] == [RUN, "stopped", "300"]


def test_a_run_that_stopped_before_anything_was_done_counts_nothing() -> None:
    nothing = a_progress(phase="stopped", images=0, measured=0, refused=0, left_s=None)
    assert sentence(replace(nothing, rate_per_s=0.0)) == "stopped: nothing measured"


def test_a_launcher_elsewhere_that_took_its_leave_is_no_riddle(
    run: RunPaths, trap_hpc: CommandLine
) -> None:
    write_status(run.status, a_progress(phase="stopped", left_s=None))
    there = json.loads(run.status.read_text())
    there["launcher"] = asdict(replace(this_process(), machine="another", host="far"))
    run.status.write_text(json.dumps(there))
    write_session(run.directory, a_record(up=False, remark="SIGINT", ended="2026"))
    said = trap_hpc("status", run.directory).out.splitlines()
    assert said[2].startswith("launcher  has ended (process ")
    assert said[2].endswith(" on far): `trap-hpc resume` goes on")
    assert said[-1] == "reason    SIGINT"


def test_how_a_session_ended_is_said(run: RunPaths, trap_hpc: CommandLine) -> None:
    write_status(run.status, a_progress(phase="done"))
    record = a_record(up=False, left=0, asked="squeue", ended="2026-01-01")
    write_session(run.directory, replace(record, remark="SIGTERM"))
    said = trap_hpc("status", run.directory)
    assert "ended 2026-01-01, 0 left (asked squeue)" in said.out
    assert "SIGTERM" not in said.out  # another session has finished it since
    assert "launcher" not in said.out
    assert "workers" not in said.out


def test_one_job_is_one_job(run: RunPaths) -> None:
    record = a_record(up=False, left=0, asked="squeue", jobs=1)
    write_session(run.directory, record)
    ending = Ending(seen=overview(run.directory), finished=True)
    assert ending.jobs == "1 job submitted, 0 left (asked squeue)"


def test_the_last_run_is_stopped_by_its_name(
    run: RunPaths, trap_hpc: CommandLine
) -> None:
    register(RUN, run.directory)
    assert trap_hpc("stop", "last").out.startswith("run: nothing works on it")


def test_a_run_that_is_done_has_no_time_left() -> None:
    seen: list[Progress] = []
    tally = Tally(seen.append)
    tally.scanned(3, 0)
    tally.measured(3, 0)
    tally.finished()
    assert " left" not in sentence(seen[-1])


def test_time_left_is_told_only_while_it_can_be_known() -> None:
    seen: list[Progress] = []
    tally = Tally(seen.append)
    tally.scanned(3, 0)
    tally.all_scanned()
    tally.measured(2, 0)
    tally.tell()
    tally.measured(1, 0)
    tally.tell()
    assert [p.phase for p in seen] == ["measuring", "associating"]
    assert [" left" in sentence(p) for p in seen] == [True, False]
