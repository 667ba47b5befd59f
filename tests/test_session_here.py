"""Sessions with everything real but a cluster: jobs are processes of this machine."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.command_line import CommandLine
from trap_hpc.paths import RunPaths
from trap_hpc.run.session.record import SessionRecord, read_session
from trap_hpc.schedulers.local import JOB

LEASE_S = 4
SLOW = {
    "detection_threshold": "2.5",
    "analysis_threshold": "1.2",
    "force_beam": "false",
    "deblend_nthresh": "300",
}
"""Parameters by which an image takes most of a second."""


@pytest.fixture(scope="module")
def sky(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from trap_hpc.cli.main import main

    folder = tmp_path_factory.mktemp("sky") / "images"
    numbers = ["--images", "60", "--size", "256", "--sources", "12"]
    with pytest.raises(SystemExit) as left:
        main(["simulate", str(folder), *numbers, "--quiet"])
    assert left.value.code == 0
    return folder


@dataclass
class Running:
    """A run in the background, that is at work."""

    process: subprocess.Popen[str]
    paths: RunPaths
    output: Path

    @property
    def session(self) -> SessionRecord:
        record = read_session(self.paths.directory)
        assert record is not None
        return record

    @property
    def said(self) -> str:
        return self.output.read_text()

    @property
    def jobs(self) -> list[int]:
        """The processes of its jobs, workers and all that comes of them."""
        return [process.pid for process in psutil.process_iter() if self._ours(process)]

    def _ours(self, process: psutil.Process) -> bool:
        try:
            job = process.environ().get(JOB, "")
        except psutil.Error:
            return False
        return job.rpartition("_")[0] in self.session.arrays

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)


def wait_until(true: Callable[[], object], what: str, timeout_s: float = 60) -> None:
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline, f"not within {timeout_s:g} s: {what}"
        time.sleep(0.05)


@pytest.fixture
def running(
    sky: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Running]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    paths, output = RunPaths(tmp_path / "run"), tmp_path / "output"
    words = ["--out", str(paths.directory), "--site", "local", "--workers", "2"]
    words += ["--site-set", f"lease_s={LEASE_S}", "--site-set", "beat_s=0.5"]
    words += ["--site-set", "cores=1", "--batch-size", "1"]
    for name, value in SLOW.items():
        words += ["--set", f"{name}={value}"]
    with output.open("w") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "trap_hpc", "run", str(sky), *words],
            stdout=stream,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
    run = Running(process, paths, output)
    try:
        wait_until(lambda: "2 workers in" in run.said or process.poll(), "work")
        assert process.poll() is None, run.said
        yield run
    finally:
        process.kill()
        process.wait()
        for pid in run.jobs if paths.session.exists() else ():
            os.kill(pid, signal.SIGKILL)


def assert_nothing_is_left(run: Running) -> None:
    assert not run.jobs
    assert not run.paths.broker.exists()
    assert not run.paths.lease.exists()
    assert not Path(run.session.broker_folder).exists()
    assert not run.session.up
    assert run.session.left == 0


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_ends_all_of_it(running: Running, name: str) -> None:
    began_s = time.monotonic()
    assert running.end(signal.Signals[name]) == 130
    assert time.monotonic() - began_s < 10
    assert "2 jobs submitted, 0 left (asked process table)" in running.said
    assert f"interrupted ({name})" in running.said
    assert_nothing_is_left(running)


def test_impatient_signals_do_not_disturb_the_end(running: Running) -> None:
    for _ in range(3):
        running.process.send_signal(signal.SIGINT)
        time.sleep(0.1)  # or the system takes them for one
    assert running.process.wait(60) == 130
    assert "ending the jobs, a moment" in running.said
    assert_nothing_is_left(running)


def test_it_can_be_watched_and_stopped_from_elsewhere(
    running: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    trap_hpc = CommandLine(capsys)
    record = trap_hpc("status", "--json").record
    assert record["alive"] is True
    assert record["launcher"]["pid"] == running.process.pid
    assert record["session"]["cluster"] == platform.node()
    wait_until(lambda: "2 of 2 in" in trap_hpc("status").out, "workers in status")
    said = trap_hpc("stop", running.paths.directory)
    assert said.code == 0
    assert "stopped: 2 jobs submitted, 0 left (asked process table)" in said.out
    assert running.process.wait(10) == 130
    assert "interrupted (`trap-hpc stop` by " in running.said
    assert_nothing_is_left(running)


def test_the_next_command_removes_what_a_killed_launcher_left(
    running: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    assert running.jobs
    running.end(signal.SIGKILL)
    said = CommandLine(capsys)("status")
    assert "was left behind: its launcher is gone; 2 jobs submitted, 0 left" in said.err
    assert_nothing_is_left(running)


def test_workers_of_a_killed_launcher_end_by_themselves(running: Running) -> None:
    running.end(signal.SIGKILL)
    wait_until(lambda: not running.jobs, "the workers ended", LEASE_S + 4)
    folder = Path(running.session.broker_folder)
    wait_until(lambda: not folder.exists(), "the broker ended", LEASE_S + 10)
    assert not running.paths.broker.exists()


def test_a_launcher_that_was_suspended_gets_new_workers(running: Running) -> None:
    running.process.send_signal(signal.SIGSTOP)
    wait_until(lambda: not running.jobs, "the workers ended", LEASE_S + 6)
    running.process.send_signal(signal.SIGCONT)
    wait_until(lambda: "jobs submitted to local in the place of" in running.said, "new")
    assert "nobody heard of the launcher for" in running.said
    wait_until(lambda: len(running.jobs) >= 2, "new workers")
    assert running.end(signal.SIGINT) == 130
    assert "4 jobs submitted, 0 left (asked process table)" in running.said
    assert_nothing_is_left(running)


def test_a_broker_that_is_killed_costs_time_and_nothing_else(running: Running) -> None:
    folder = Path(running.session.broker_folder)
    servers = [p for p in psutil.process_iter(["cwd", "name"]) if in_folder(p, folder)]
    assert servers
    for server in servers:
        server.kill()
    wait_until(lambda: "another broker takes its place" in running.said, "said so")
    wait_until(lambda: running.process.poll() is not None, "the end", 120)
    assert running.process.returncode == 0, running.said
    assert "60 of 60 images are in the catalogue" in running.said
    assert "2 jobs submitted, 0 left (asked process table)" in running.said
    assert_nothing_is_left(running)


def in_folder(process: psutil.Process, folder: Path) -> bool:
    try:
        return Path(process.cwd()) == folder
    except psutil.Error:
        return False
