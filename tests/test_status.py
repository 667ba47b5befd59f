"""Looking at a run from outside: how far it is, who works on it, what jobs printed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.command_line import CommandLine
from tests.sessions import a_record
from tests.stand_ins import RUN
from tests.test_reap import gone, of_process
from trap_hpc.alive import this_process
from trap_hpc.cli.watch import sentence
from trap_hpc.paths import RunPaths
from trap_hpc.run.overview import overview
from trap_hpc.run.progress import JobGroup, Progress, Staff
from trap_hpc.run.session.record import write_session
from trap_hpc.run.status import write_status
from trap_hpc.run.tally import Tally

STAFF = Staff(
    workers=4,
    wanted=6,
    jobs="3 jobs: 1 pending (Priority), 2 running",
    groups=(
        JobGroup(
            state="pending",
            jobs=1,
            ids="12_2",
            nodes="",
            reason="Priority",
            explanation="others are before it",
        ),
        JobGroup(
            state="running",
            jobs=2,
            ids="12_[0-1]",
            nodes="n1",
            reason="",
            explanation="",
        ),
    ),
    refusals=("1 worker on n3 refused: runs code a, the run has code b",),
    failed=("12_5",),
)


def a_progress(**changes: object) -> Progress:
    facts: dict[str, object] = {
        "phase": "measuring",
        "images": 300,
        "scanned": 300,
        "measured": 40,
        "associated": 30,
        "refused": 2,
        "elapsed_s": 10.0,
        "rate_per_s": 4.0,
        "left_s": 65.0,
        "batches": 17,
        "staff": STAFF,
    }
    return Progress(**(facts | changes))  # type: ignore[arg-type]


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


def test_what_is_written_is_read(run: RunPaths) -> None:
    write_status(run.status, a_progress())
    seen = overview(run.directory)
    assert seen.progress == a_progress()
    assert seen.launcher == this_process()
    assert seen.alive is True
    assert not seen.finished


def test_a_status_of_an_older_version_is_read_too(run: RunPaths) -> None:
    write_status(run.status, a_progress())
    record = json.loads(run.status.read_text())
    for name in ("launcher", "staff", "batches", "written"):
        del record[name]
    run.status.write_text(json.dumps(record))
    seen = overview(run.directory)
    assert seen.progress == a_progress(staff=None, batches=0)
    assert (seen.launcher, seen.alive) == (None, None)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"phase": "measuring"}'])
def test_a_damaged_status_is_no_crash(
    run: RunPaths, trap_hpc: CommandLine, text: str
) -> None:
    run.status.write_text(text)
    said = trap_hpc("status", run.directory)
    assert said.code == 0
    assert "it has not said anything yet" in said.out


def test_all_that_matters_is_said(run: RunPaths, trap_hpc: CommandLine) -> None:
    write_status(run.status, a_progress())
    write_session(run.directory, of_process(this_process(), site="alpha"))
    lines = trap_hpc("status", run.directory).out.splitlines()
    assert lines[0] == f"run       {run.directory}"
    assert "measuring: 40 of 300 images, 4 of 6 workers, 2 refused, " in lines[1]
    assert "17 batches done" in lines[1]
    assert lines[2].startswith("launcher  lives: process ")
    assert lines[3:7] == [
        "workers   4 of 6 in",
        "jobs      3 jobs: 1 pending (Priority), 2 running",
        "          1 pending (12_2): others are before it",
        "refused   1 worker on n3 refused: runs code a, the run has code b",
    ]
    assert lines[7].startswith(f"session   3 jobs submitted to alpha (slurm) as {RUN} ")


def test_a_launcher_that_is_gone_is_told_with_what_to_do(
    run: RunPaths, trap_hpc: CommandLine
) -> None:
    write_status(run.status, a_progress(staff=None))
    record = of_process(gone(), scheduler="local", cluster="elsewhere")
    write_session(run.directory, record)
    said = trap_hpc("status", run.directory)
    assert "is gone (process" in said.out
    assert "`trap-hpc reap` removes what it left" in said.out


def test_a_launcher_elsewhere_is_not_judged(
    run: RunPaths, trap_hpc: CommandLine
) -> None:
    write_status(run.status, a_progress())
    write_session(run.directory, a_record())
    assert (
        "on elsewhere: can't be seen from here" in trap_hpc("status", run.directory).out
    )


def test_programs_get_all_of_it(run: RunPaths, trap_hpc: CommandLine) -> None:
    write_status(run.status, a_progress())
    write_session(run.directory, of_process(this_process()))
    record = trap_hpc("status", run.directory, "--json").record
    assert record["schema_version"] == 1
    assert record["alive"] is True
    assert record["progress"]["staff"]["workers"] == 4
    assert record["progress"]["staff"]["groups"][0]["reason"] == "Priority"
    assert record["session"]["arrays"] == ["1"]


def test_the_scheduler_is_asked_if_wanted(run: RunPaths, trap_hpc: CommandLine) -> None:
    write_session(run.directory, a_record(scheduler="local", run_id=RUN))
    assert (
        "asked     no jobs are known any more"
        in trap_hpc("status", run.directory, "--ask").out
    )
    assert trap_hpc("status", run.directory, "--ask", "--json").record["asked"] == []


def test_missing_workers_are_part_of_the_progress() -> None:
    waiting = replace(STAFF, workers=0, jobs="3 jobs: 3 pending (Priority)")
    assert sentence(a_progress()) == (
        "measuring: 40 of 300 images, 4 of 6 workers, 2 refused, 4 images/s, 1:05 left"
    )
    assert sentence(a_progress(phase="scanning", staff=waiting)) == (
        "scanning: 300 headers read, no workers yet (3 jobs: 3 pending (Priority))"
    )
    all_in = replace(STAFF, workers=6)
    assert "workers" not in sentence(a_progress(staff=all_in))
    assert "workers" not in sentence(a_progress(phase="finishing"))


def test_batches_are_counted_and_staff_is_told() -> None:
    seen: list[Progress] = []
    tally = Tally(seen.append)
    tally.staff = lambda: STAFF
    tally.scanned(3, 0)
    tally.measured(2, 1)
    tally.forced()
    tally.tell()
    assert seen[-1].batches == 3
    assert seen[-1].staff == STAFF
