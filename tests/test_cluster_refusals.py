"""What a scheduler refuses or fails to answer is told in its words, with what to do."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cluster.launches import (
    SLOW,
    Launch,
    fresh,
    no_jobs,
    none_left,
    settings,
    workers_running,
)
from tests.cluster.processes import wait_until
from tests.cluster.programs import programs
from tests.cluster.skies import simulated
from tests.cluster.slurm import Slurm
from tests.cluster.up import cluster


@pytest.mark.parametrize(
    ("values", "words", "remedy"),
    [
        ({"account": "nobody"}, "Invalid account", "--account"),
        ({"queue": "nope"}, "invalid partition specified: nope", "--queue"),
        ({"memory": "100GB"}, "Memory specification can not be", "--memory"),
        ({"cores": 64}, "CPU count per node can not be satisfied", "--cores"),
        ({"account": "spent"}, "job submit limit", "--workers"),
        ({"job_extra_directives": ["--gres=gpu:1"]}, "gres", "job_extra_directives"),
    ],
    ids=["account", "partition", "memory", "cores", "limit", "gres"],
)
def test_a_refusal_is_told_in_slurm_s_words_with_what_to_do(
    slurm: Slurm,
    few_images: Path,
    values: Mapping[str, object],
    words: str,
    remedy: str,
) -> None:
    site = slurm.site("refused.toml", **values)
    said = Launch(slurm, few_images, site=site).wait(60)
    assert said.code == 1, str(said)
    assert words in said.err, str(said)
    assert remedy in said.err, str(said)
    assert "resume" in said.err
    assert none_left(said, "0 jobs"), str(said)
    assert no_jobs(slurm)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"queue": "closed"}, "PartitionDown"),
        ({"walltime": "48:00:00"}, "PartitionTimeLimit"),
    ],
    ids=["partition-down", "walltime"],
)
def test_jobs_that_never_start_are_told_of_and_leave_nothing(
    slurm: Slurm, few_images: Path, values: Mapping[str, object], reason: str
) -> None:
    site = slurm.site("waiting.toml", **values)
    launch = Launch(slurm, few_images, site=site)
    launch.until_said(reason, 30)
    told = slurm.trap_hpc("status", launch.directory)
    assert reason in told.out, str(told)
    slurm.trap_hpc("stop", launch.directory)
    assert none_left(launch.wait(), "3 jobs")
    assert no_jobs(slurm)


def test_more_jobs_than_an_array_may_have_go_into_several() -> None:
    with cluster(nodes=2, MaxArraySize="3") as slurm:
        night = simulated(slurm, "night", images=6, size=160, sources=5)
        site = slurm.site(cores=1, memory="200MB")
        launch = Launch(slurm, night, site=site, workers=7)
        said = launch.wait()
        assert said.code == 0, str(said)
        assert launch.session is not None
        assert len(launch.session.arrays) == 3
        assert none_left(said, "7 jobs"), str(said)


def test_a_run_outlives_a_controller_that_is_away_for_a_while(
    slurm: Slurm, long_night: Path
) -> None:
    site = slurm.site("away.toml", poll_s=2.0)
    launch = Launch(slurm, long_night, *settings(SLOW), site=site)
    launch.until_working()
    slurm.stop_controller()
    launch.until_said("can't ask squeue for now")
    written = launch.written
    launch.until(lambda: launch.written > written, "work goes on")
    slurm.start_controller()
    launch.until_said("squeue answers again")
    launch.command.send(signal.SIGINT)
    said = launch.wait()
    assert said.code == 130, str(said)
    assert none_left(said, "3 jobs")


def test_a_controller_that_is_away_at_the_end_is_waited_for(
    slurm: Slurm, long_night: Path
) -> None:
    launch = Launch(slurm, long_night, *settings(SLOW))
    launch.until_working()
    slurm.stop_controller()
    launch.command.send(signal.SIGINT)
    wait_until(lambda: not workers_running(slurm), "workers have left without it")
    slurm.start_controller()
    said = launch.wait()
    assert said.code == 130, str(said)
    assert none_left(said, "3 jobs"), str(said)
    assert no_jobs(slurm)


def test_an_sbatch_that_hangs_does_not_keep_the_user(
    slurm: Slurm, few_images: Path
) -> None:
    asked = slurm.work / "sbatch-hangs"
    launch = with_sbatch(slurm, few_images, f"touch {asked}; exec sleep 1000")
    launch.until(asked.exists, "sbatch is called")
    launch.command.send(signal.SIGINT)
    said = launch.wait(10)
    assert said.code == 130, str(said)
    assert none_left(said, "0 jobs"), str(said)
    assert no_jobs(slurm)


def test_a_submission_whose_answer_was_lost_is_found_by_its_name(
    slurm: Slurm, few_images: Path
) -> None:
    script = '/usr/bin/sbatch "$@" >/dev/null; exec sleep 1000'
    said = with_sbatch(slurm, few_images, script).wait()
    assert said.code == 0, str(said)
    assert none_left(said, "3 jobs"), str(said)


def with_sbatch(slurm: Slurm, images: Path, script: str) -> Launch:
    """Run with another ``sbatch``, which gets three seconds."""
    scripts = {"sbatch": f"#!/bin/sh\n{script}\n"}
    environment = programs(slurm, fresh(slurm, "bin"), scripts)
    site = slurm.site("hanging.toml", submit_timeout_s=3.0)
    return Launch(slurm, images, site=site, environment=environment)


def test_without_sacct_all_is_as_well(slurm: Slurm, few_images: Path) -> None:
    """It is not there; elsewhere in these tests it says that nothing is recorded."""
    scripts = {"sacct": "#!/bin/sh\nexit 127\n"}
    environment = programs(slurm, fresh(slurm, "bin"), scripts)
    launch = Launch(slurm, few_images, environment=environment)
    assert launch.wait().code == 0


def test_a_job_that_fails_is_explained_without_sacct(
    slurm: Slurm, few_images: Path
) -> None:
    site = slurm.site("failing.toml", job_script_prologue=["echo this is why; exit 3"])
    launch = Launch(slurm, few_images, site=site)
    said = launch.wait(60)
    assert said.code == 1, str(said)
    assert "failed with exit code 3" in said.err, str(said)
    assert "this is why" in said.err
    assert no_jobs(slurm)


def test_a_job_that_reaches_its_walltime_is_replaced(
    slurm: Slurm, long_night: Path
) -> None:
    """The partition gives a minute; the work needs more than that."""
    site = slurm.site("a-minute.toml", queue="short", walltime="00:01:00")
    launch = Launch(slurm, long_night, *settings(SLOW), site=site, workers=2)
    launch.until_submitted(2, 150)
    slurm.trap_hpc("stop", launch.directory)
    said = launch.wait()
    assert "in the place of" in said.err, str(said)
    assert no_jobs(slurm)


def test_without_slurm_s_programs_the_user_is_told(
    slurm: Slurm, few_images: Path
) -> None:
    bare = fresh(slurm, "bare")
    bare.mkdir()
    launch = Launch(slurm, few_images, environment={"PATH": str(bare)})
    said = launch.wait()
    assert said.code == 1, str(said)
    assert "scontrol" in said.err or "sbatch" in said.err
    assert "a host from which jobs are submitted" in said.err
