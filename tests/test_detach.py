"""Runs that go on by themselves, and watching them from elsewhere."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
import pytest

from tests.command_line import CommandLine
from tests.runs import SETTINGS, assert_same, written
from tests.waiting import wait_until
from trap_hpc.paths import RunPaths
from trap_hpc.run.overview import overview
from trap_hpc.run.plan import make_plan
from trap_hpc.run.prepare import prepare

TRAP_HPC = [sys.executable, "-m", "trap_hpc"]
SET = [word for setting in SETTINGS for word in ("--set", setting)]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(capsys)


@pytest.fixture
def out(tmp_path: Path) -> Iterator[Path]:
    """Where a run may be; none of its processes outlives the test."""
    yield tmp_path / "run"
    for process in psutil.process_iter(["environ", "cmdline"]):
        told = f"{process.info['environ']} {process.info['cmdline']}"
        if process.pid != os.getpid() and str(tmp_path) in told:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
                process.wait(30)


def trap_hpc(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*TRAP_HPC, *map(str, words)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def detached(night: Sequence[str], out: Path) -> subprocess.CompletedProcess[str]:
    words = [*night, *SET, "--out", out, "--batch-size", "1", "--workers", "1"]
    return trap_hpc("run", *words, "--detach")


@contextlib.contextmanager
def beside(*words: object) -> Iterator[subprocess.Popen[str]]:
    """Let a command go on beside the test, and no longer than that."""
    argv = [*TRAP_HPC, *map(str, words)]
    with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def to_its_end(process: subprocess.Popen[str]) -> str:
    """Wait for a command, and return what it said."""
    _, said = process.communicate(timeout=60)
    return said


def slowed(out: Path) -> psutil.Process:
    """Stop a run's workers for the moment, so that it does not end."""
    launcher = overview(out).launcher
    assert launcher is not None
    process = psutil.Process(launcher.pid)
    for server in process.children():
        for worker in server.children():
            worker.suspend()
    return process


def test_a_detached_run_outlives_its_terminal_and_is_told_to_its_end(
    night: Sequence[str], reference: Path, out: Path
) -> None:
    begun = detached(night, out)
    assert begun.returncode == 0, begun.stderr
    run_id = begun.stdout.split()[0]
    for command in ("attach", "status", "stop"):
        assert f"trap-hpc {command} {run_id}" in begun.stdout
    told = trap_hpc("attach", run_id)
    assert told.returncode == 3  # one of the night's files is no image
    assert "images are in the catalogue" in told.stdout
    assert "headers read" in told.stderr or "images" in told.stderr
    assert "images are in the catalogue" in RunPaths(out).launcher_log.read_text()
    assert_same(reference, out)


def test_a_detached_launcher_has_a_session_of_its_own(
    night: Sequence[str], out: Path
) -> None:
    detached(night, out)
    launcher = overview(out).launcher
    assert launcher is not None
    assert os.getsid(launcher.pid) == launcher.pid
    assert os.getsid(launcher.pid) != os.getsid(0)


def test_a_run_that_fails_at_once_is_not_left_to_itself(
    night: Sequence[str], out: Path
) -> None:
    url = "postgresql://localhost:1/no"
    said = trap_hpc("run", *night, "--out", out, "--db", url, "--detach")
    assert said.returncode == 1
    assert "localhost" in said.stderr
    assert "trap-hpc resume" in said.stderr
    assert "Traceback" not in said.stderr


def test_ctrl_c_leaves_a_run_alone_that_is_only_watched(
    night: Sequence[str], out: Path
) -> None:
    detached(night, out)
    launcher = slowed(out)
    with beside("attach", out) as watching:
        assert watching.stderr is not None
        watching.stderr.readline()
        watching.send_signal(signal.SIGINT)
        said = to_its_end(watching)
    assert watching.returncode == 130
    assert "to itself" in said
    assert "Traceback" not in said
    assert launcher.is_running()


def test_a_launcher_that_was_killed_is_told(
    call: CommandLine, night: Sequence[str], out: Path
) -> None:
    detached(night, out)
    slowed(out).kill()
    said = call("attach", out)
    assert said.code == 1
    assert "is gone without a word" in said.err
    assert "trap-hpc resume trap-" in said.err


def test_a_run_is_watched_from_another_shell_until_it_is_interrupted(
    night: Sequence[str], out: Path
) -> None:
    words = [*night, *SET, "--out", str(out), "--batch-size", "1", "--workers", "1"]
    with beside("run", *words) as running:
        measurements = RunPaths(out).measurements
        wait_until(lambda: measurements.exists() and written(out) > 2, "it works")
        slowed(out)
        with beside("attach", out) as watching:
            assert watching.stderr is not None
            assert " s  " in watching.stderr.readline()
            running.send_signal(signal.SIGINT)
            to_its_end(running)
            said = to_its_end(watching)
    assert running.returncode == watching.returncode == 130
    assert "has ended: Ctrl-C" in said


def test_nobody_to_watch_is_said(
    call: CommandLine, night: Sequence[str], out: Path
) -> None:
    prepare(make_plan(night[:2], out=out))
    said = call("attach", out)
    assert said.code == 1
    assert "nobody works on trap-" in said.err


def test_a_finished_run_is_told_at_once(
    call: CommandLine, night: Sequence[str], out: Path
) -> None:
    call("run", *night[:2], "--out", out, "--engine", "serial", "-q")
    record = call("attach", out, "--json").record
    assert record["images"] == 2
    assert call("attach", out, "--quiet").out == ""


def test_programs_are_told_where_a_detached_run_is(
    night: Sequence[str], out: Path
) -> None:
    said = trap_hpc("run", *night[:2], "--out", out, "--detach", "--json")
    assert said.returncode == 0, said.stderr
    record = json.loads(said.stdout)
    assert record["directory"] == str(out)
    assert record["log"] == str(RunPaths(out).launcher_log)
    assert trap_hpc("attach", out, "--quiet").stdout == ""
