"""However a launcher ends, no job of its run stays, and somebody says so."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.cluster.launches import (
    SLOW,
    Launch,
    jobs_as,
    no_jobs,
    none_left,
    settings,
    workers_running,
)
from tests.cluster.processes import wait_until
from tests.cluster.slurm import Slurm

LEASE_S = 10.0


@pytest.fixture
def site(slurm: Slurm) -> Path:
    """A profile with a lease that a test can wait for."""
    return slurm.site("short-lease.toml", lease_s=LEASE_S, beat_s=1.0)


@pytest.fixture
def launch(slurm: Slurm, site: Path, long_night: Path) -> Launch:
    """A long run: three of its jobs run, three wait."""
    made = Launch(slurm, long_night, *settings(SLOW), site=site, workers=12)
    made.until_working()
    wait_until(lambda: len(jobs_as(slurm, "RUNNING")) == 3, "three jobs run")
    assert len(jobs_as(slurm, "PENDING")) == 3
    return made


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_after_a_signal_no_job_is_left(slurm: Slurm, launch: Launch, name: str) -> None:
    began_s = time.monotonic()
    launch.command.send(signal.Signals[name])
    said = launch.wait()
    assert time.monotonic() - began_s < 10
    assert said.code == 130, str(said)
    assert none_left(said, "6 jobs")
    assert "resume" in said.err
    assert_nothing(slurm, launch)


def test_after_an_exception_no_job_is_left(
    slurm: Slurm, site: Path, long_night: Path
) -> None:
    folder = slurm.work / "faulty"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(FAULT)
    launch = Launch(
        slurm,
        long_night,
        *settings(SLOW),
        site=site,
        workers=12,
        environment={"PYTHONPATH": str(folder)},
    )
    launch.until_working()
    (launch.directory / "fail").touch()
    began_s = time.monotonic()
    said = launch.wait()
    assert time.monotonic() - began_s < 10
    assert said.code not in (0, 130), str(said)
    assert none_left(said, "6 jobs")
    assert_nothing(slurm, launch)


FAULT = """
import sys
if "resume" in sys.argv:
    from pathlib import Path
    from trap_hpc.run import tally
    told = tally.Tally.tell
    def tell(self, *args, **kwargs):
        if any(Path.home().glob("run-*/fail")):
            raise ZeroDivisionError("as no program expects")
        return told(self, *args, **kwargs)
    tally.Tally.tell = tell
"""


def test_workers_end_with_the_lease_of_a_killed_launcher(
    slurm: Slurm, launch: Launch
) -> None:
    began = set(jobs_as(slurm, "RUNNING"))
    launch.kill()

    def gone() -> bool:
        return not began & set(jobs_as(slurm, "RUNNING"))

    wait_until(gone, "the workers are gone", LEASE_S + 5)
    # Those that came just before the credentials went look for a lease, too.
    wait_until(lambda: no_jobs(slurm), "those that waited are gone, too", 30)
    # They began, saw that there was nothing to do, and ended well.
    assert len(jobs_as(slurm, "COMPLETED", launch.run_id)) == 6
    said = slurm.trap_hpc("reap")
    assert said.code == 0, str(said)
    assert launch.run_id in said.out + said.err
    assert_nothing(slurm, launch)


def test_the_next_command_removes_what_a_killed_launcher_left(
    slurm: Slurm, site: Path, night_on_slurm: Path
) -> None:
    slurm.drain()
    launch = Launch(slurm, night_on_slurm, site=site, workers=6)
    launch.until_submitted(3)
    launch.kill()
    assert len(jobs_as(slurm, "PENDING")) == 3
    said = slurm.trap_hpc("runs")
    assert said.code == 0, str(said)
    assert f"{launch.run_id} was left behind" in said.err
    assert "; 3 jobs submitted, 0 left (asked squeue)" in said.err
    assert_nothing(slurm, launch)


def reaps(slurm: Slurm, launch: Launch) -> bool:
    said = slurm.trap_hpc("reap")
    return launch.run_id in said.out + said.err and no_jobs(slurm)


def test_jobs_of_which_the_launcher_never_heard_are_removed(
    slurm: Slurm, site: Path, night_on_slurm: Path
) -> None:
    """It is killed when the jobs are submitted, before it has read their id."""
    slurm.drain()
    programs = slurm.work / "killing"
    programs.mkdir()
    sbatch = programs / "sbatch"
    sbatch.write_text('#!/bin/sh\n/usr/bin/sbatch "$@" && kill -9 $PPID\n')
    sbatch.chmod(0o755)
    path = slurm.hosts["login"].environment(slurm.user)["PATH"]
    launch = Launch(
        slurm,
        night_on_slurm,
        site=site,
        environment={"PATH": f"{programs}:{path}"},
    )
    assert launch.command.wait().code == -signal.SIGKILL
    assert launch.session is not None
    assert not launch.session.arrays
    assert len(jobs_as(slurm, "PENDING")) == 3
    said = slurm.trap_hpc("runs")
    assert f"{launch.run_id} was left behind" in said.err, str(said)
    assert_nothing(slurm, launch)


def test_nothing_is_left_when_launcher_and_broker_are_killed(
    slurm: Slurm, launch: Launch
) -> None:
    began = set(jobs_as(slurm, "RUNNING"))
    login = slurm.hosts["login"]
    login.run(["pkill", "-KILL", "-u", slurm.user.name])
    launch.command.wait()

    def gone() -> bool:
        return not began & set(jobs_as(slurm, "RUNNING"))

    wait_until(gone, "the workers are gone", LEASE_S + 5)
    # Nobody has removed the credentials: those that waited look for a lease, too.
    wait_until(lambda: no_jobs(slurm), "those that waited are gone", LEASE_S + 20)
    assert len(jobs_as(slurm, "COMPLETED", launch.run_id)) == 6
    wait_until(lambda: reaps(slurm, launch), "it is reaped")
    assert_nothing(slurm, launch)


def test_another_login_host_removes_what_was_left_when_the_first_one_crashed(
    slurm: Slurm, site: Path, night_on_slurm: Path
) -> None:
    slurm.drain()
    launch = Launch(slurm, night_on_slurm, site=site, host="login2")
    launch.until_submitted(3)
    slurm.hosts["login2"].end()
    launch.command.wait()
    wait_until(lambda: reaps(slurm, launch), "the lease is over", 3 * LEASE_S)
    slurm.hosts["login2"].power_on()
    assert no_jobs(slurm)


def test_a_run_that_lives_on_another_login_host_is_not_touched(
    slurm: Slurm, launch: Launch
) -> None:
    said = slurm.trap_hpc("reap", host="login2")
    assert said.code == 0, str(said)
    assert len(jobs_as(slurm, "RUNNING")) == 3
    said = slurm.trap_hpc("stop", launch.directory, host="login2")
    assert said.code == 0, str(said)
    assert none_left(launch.wait(), "6 jobs")
    assert_nothing(slurm, launch)


def assert_nothing(slurm: Slurm, launch: Launch) -> None:
    """Of jobs, workers, broker and credentials."""
    assert no_jobs(slurm)
    assert not workers_running(slurm)
    assert not launch.paths.broker.exists()
    session = launch.session
    assert session is not None
    assert not session.up
    login = slurm.hosts["login"]
    if session.broker_folder:
        folder = login.path(session.broker_folder)
        wait_until(lambda: not folder.exists(), "the broker's folder is gone", 15)
    assert "redis" not in login.run(["ps", "ax", "-o", "comm"]).out
