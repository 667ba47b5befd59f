"""What jobs printed, without knowing where it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command_line import CommandLine
from tests.sessions import a_record
from tests.test_status import a_progress
from trap_hpc.paths import RunPaths
from trap_hpc.run.overview import failed_jobs
from trap_hpc.run.session.record import write_session
from trap_hpc.run.status import write_status


@pytest.fixture
def run(tmp_path: Path) -> RunPaths:
    paths = RunPaths(tmp_path / "run")
    paths.make()
    paths.plan.write_text("schema_version = 1\n")
    return paths


@pytest.fixture
def trap_hpc(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(capsys)


def write_logs(run: RunPaths) -> None:
    (run.logs / "12_1-n1.log").write_text("all is well\n")
    (run.logs / "12_5-n3.log").write_text("".join(f"line {n}\n" for n in range(50)))
    (run.logs / "12_10-n1.log").write_text("\x1b[31mred\x1b[0m\n")
    (run.logs / "12_11-n1.log").write_text("")
    run.log.write_text("begun\nstopped\n")


def test_logs_of_failed_jobs_come_without_being_named(
    run: RunPaths, trap_hpc: CommandLine
) -> None:
    write_logs(run)
    write_status(run.status, a_progress())
    lines = trap_hpc("logs", run.directory, "--lines", "2").out.splitlines()
    assert lines == [
        f"==> {run.logs / '12_5-n3.log'} <==",
        "line 48",
        "line 49",
        f"==> {run.log} <==",
        "begun",
        "stopped",
    ]


def test_failed_jobs_are_known_after_the_session(run: RunPaths) -> None:
    write_session(run.directory, a_record(up=False, failed=("12_1", "12_5")))
    assert failed_jobs(run.directory) == ("12_1", "12_5")


def test_logs_are_listed_if_nothing_failed(
    run: RunPaths, trap_hpc: CommandLine
) -> None:
    write_logs(run)
    said = trap_hpc("logs", run.directory).out
    assert "No job is known to have failed. Logs of jobs: 3" in said
    assert said.index("12_1-n1.log") < said.index("12_5-n3") < said.index("12_10-n1")
    assert "bytes" in said
    assert said.endswith("begun\nstopped\n")


@pytest.mark.parametrize("job", ["12_1", "12"])
def test_one_job_or_one_array_can_be_named(
    run: RunPaths, trap_hpc: CommandLine, job: str
) -> None:
    write_logs(run)
    said = trap_hpc("logs", run.directory, "--job", job).out
    assert "all is well" in said
    assert ("line 49" in said) == (job == "12")
    assert "\x1b" not in said


def test_jobs_of_this_host_have_a_longer_name(
    run: RunPaths, trap_hpc: CommandLine
) -> None:
    (run.logs / "local-1a2b_0-my-host.log").write_text("all is well\n")
    said = trap_hpc("logs", run.directory, "--job", "local-1a2b_0")
    assert "all is well" in said.out
    said = trap_hpc("logs", run.directory, "--job", "local-1")
    assert "there are logs of: local-1a2b_0" in said.err


def test_a_job_without_a_log_is_refused_with_those_that_have_one(
    run: RunPaths, trap_hpc: CommandLine
) -> None:
    write_logs(run)
    said = trap_hpc("logs", run.directory, "--job", "99")
    assert said.code == 2
    assert "there are logs of: 12_1, 12_5, 12_10" in said.err


def test_a_job_that_failed_without_a_word_is_named(
    run: RunPaths, trap_hpc: CommandLine
) -> None:
    write_logs(run)
    failed = ("12_11", "12_12", "12_5")
    write_session(run.directory, a_record(up=False, failed=failed))
    said = trap_hpc("logs", run.directory).out
    assert said.startswith("Failed and printed nothing: 12_[11-12]\n")
    assert "line 49" in said
    assert "No job is known to have failed" not in said
