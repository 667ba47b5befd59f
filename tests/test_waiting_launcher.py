"""A launcher that waits as a batch job: seen, taken back, and never beside another."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.runs import run as run_here
from tests.sessions import Stage
from tests.stand_ins import RUN
from tests.test_stop import stopper, working
from trap_hpc.alive import this_process
from trap_hpc.errors import RunError
from trap_hpc.paths import RunPaths
from trap_hpc.run.attaching import ASK_S, Follower
from trap_hpc.run.launch import resume
from trap_hpc.run.overview import overview
from trap_hpc.run.session.stopping import ask_to_stop
from trap_hpc.run.session.waiting import (
    WaitingLauncher,
    note_waiting,
    still_waits,
    waiting_launcher,
)
from trap_hpc.schedulers.base import State

WAITING = WaitingLauncher(
    run_id=RUN,
    site="test",
    scheduler="slurm",
    cluster="alpha",
    submitted="2026-01-01T00:00:00+00:00",
)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """A run whose launcher waits as job 1_0."""
    stage = Stage(tmp_path)
    note_waiting(stage.directory, WAITING)
    stage.cluster.put("1_0", State.PENDING, "PENDING", "Priority")
    return stage


def test_it_is_seen_until_it_begins(stage: Stage) -> None:
    assert overview(stage.directory).waiting == WAITING
    stage.paths.waiting_launcher.write_text("{")
    assert overview(stage.directory).waiting is None


def test_it_is_taken_back(stage: Stage) -> None:
    said = stopper(stage).stop()
    assert said == "its launcher's job was taken back: 0 jobs left (asked squeue)"
    assert not [job for job in stage.cluster.table.values() if job.state.left]
    assert waiting_launcher(stage.directory) is None


def test_one_that_is_gone_already_is_no_riddle(stage: Stage) -> None:
    stage.cluster.table.clear()
    assert "0 jobs left" in stopper(stage).stop()
    assert "nothing works on it" in stopper(stage).stop()


def test_one_that_cannot_be_taken_back_stays_known(stage: Stage) -> None:
    stage.cluster.obeys = False
    with pytest.raises(RunError, match="job is left: 1_0"):
        stopper(stage).stop()
    stage.cluster.down = 10_000
    with pytest.raises(RunError, match="may be left"):
        stopper(stage).stop()
    assert waiting_launcher(stage.directory) == WAITING


def test_jobs_of_another_cluster_are_left_alone(stage: Stage) -> None:
    stage.cluster.cluster_name = "beta"
    with pytest.raises(RunError, match="waits on alpha: stop it there"):
        stopper(stage).stop()
    assert still_waits(stage.directory, WAITING, stage.cluster)
    assert "cancel" not in stage.cluster.calls


def test_who_watches_waits_as_long_as_the_job_does(stage: Stage) -> None:
    def cancelled(now_s: float) -> None:
        if now_s > 1000 + 2.5 * ASK_S:
            stage.cluster.end("CANCELLED")

    stage.time.then = cancelled
    follower = Follower(
        stage.directory,
        lambda _: None,
        stage.time,
        stage.time.sleep,
        lambda waiting: still_waits(stage.directory, waiting, stage.cluster),
    )
    assert not follower.follow().finished
    assert 3 * ASK_S <= stage.time() - 1000 < 3 * ASK_S + 10
    assert stage.cluster.calls.count("jobs") == 3


def test_nobody_else_works_on_the_run(night: list[str], tmp_path: Path) -> None:
    run_here(night, tmp_path / "run")
    note_waiting(tmp_path / "run", WAITING)
    with pytest.raises(RunError, match="waits as a batch job: `trap-hpc stop"):
        resume(str(tmp_path / "run"))


def test_a_request_to_stop_that_comes_early_is_not_lost(stage: Stage) -> None:
    stage.paths.waiting_launcher.unlink()
    working(stage, this_process())
    ask_to_stop(stage.paths)  # it is seen to work, its session is not up yet
    session = stage.session()
    session.up()
    assert stage.paths.stop_request.exists()
    session.down("stopped")
    assert not RunPaths(stage.directory).stop_request.exists()
