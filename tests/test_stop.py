"""Stopping a run from elsewhere."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from tests.sessions import Stage, a_record
from tests.test_reap import gone, left_behind, of_process, reaper
from trap_hpc.alive import Launcher, this_process
from trap_hpc.engines.lease import Beat, write_beat
from trap_hpc.engines.serial import SerialEngine
from trap_hpc.errors import RunError
from trap_hpc.run.session.record import write_session
from trap_hpc.run.session.stop import Stopper
from trap_hpc.run.session.stoppable import StoppableEngine
from trap_hpc.run.session.stopping import ask_to_stop, stop_asked


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def stopper(stage: Stage, wait_s: float = 120.0) -> Stopper:
    return Stopper(
        directory=stage.directory,
        reaper=reaper(stage),
        clock=stage.time,
        sleep=stage.time.sleep,
        wait_s=wait_s,
    )


def obey(stage: Stage, after_s: float = 2.0) -> None:
    """Be a launcher that ends its session when asked to."""

    def launcher(now_s: float) -> None:
        if now_s >= 1000 + after_s and stop_asked(stage.paths):
            record = a_record(up=False, ended="now", left=0, asked="squeue")
            write_session(stage.directory, record)

    stage.time.then = launcher


def working(stage: Stage, launcher: Launcher, phase: str = "measuring") -> None:
    """Be a run without jobs."""
    status = {"schema_version": 1, "phase": phase, "launcher": asdict(launcher)}
    counts = dict.fromkeys(
        ("images", "scanned", "measured", "associated", "refused"), 1
    )
    more = {"elapsed_s": 1.0, "rate_per_s": 1.0, "left_s": None}
    stage.paths.status.write_text(json.dumps(status | counts | more))


def test_a_live_launcher_is_asked_and_waited_for(stage: Stage) -> None:
    left_behind(stage, of_process(this_process()))
    obey(stage)
    said = stopper(stage).stop()
    assert said == "stopped: 3 jobs submitted, 0 left (asked squeue)"
    assert stage.cluster.calls == []


def test_a_dead_launcher_is_not_waited_for(stage: Stage) -> None:
    left_behind(stage, of_process(gone()))
    assert "3 jobs submitted, 0 left (asked squeue)" in stopper(stage).stop()
    assert stage.time() - 1000 < 5
    assert not stage.paths.stop_request.exists()


def test_a_launcher_elsewhere_that_stands_still_is_replaced(stage: Stage) -> None:
    left_behind(stage, a_record())
    assert "its launcher is gone" in stopper(stage).stop()
    assert 10 <= stage.time() - 1000 < 20


def test_a_launcher_that_lives_and_does_not_obey_is_left_alone(stage: Stage) -> None:
    left_behind(stage, a_record())
    stage.time.then = lambda now_s: write_beat(stage.paths.lease, Beat(1, int(now_s)))
    with pytest.raises(RunError, match="nobody has obeyed within 30 s"):
        stopper(stage, 30).stop()
    assert stage.cluster.calls == []


def test_a_run_without_jobs_is_asked_too(stage: Stage) -> None:
    working(stage, replace(this_process(), machine="another boot"))

    def launcher(now_s: float) -> None:
        if now_s > 1002:
            stage.paths.stop_request.unlink(missing_ok=True)

    stage.time.then = launcher
    assert stopper(stage).stop().startswith("stopped")
    assert stage.time() > 1002


def test_a_run_without_jobs_that_does_not_obey_is_told_of(stage: Stage) -> None:
    working(stage, this_process())
    with pytest.raises(RunError, match="nobody has obeyed"):
        stopper(stage).stop()
    assert not stage.paths.stop_request.exists()


def test_nothing_is_asked_of_the_dead(stage: Stage) -> None:
    working(stage, gone())
    assert "nothing works on it" in stopper(stage).stop()
    working(stage, this_process(), phase="done")
    assert "it has finished" in stopper(stage).stop()


def test_an_engine_of_this_machine_obeys(stage: Stage) -> None:
    engine = StoppableEngine(SerialEngine(), stage.paths, stage.time)
    engine.start()
    engine.outcomes(0)
    ask_to_stop(stage.paths)
    stage.time.sleep(2)
    with pytest.raises(KeyboardInterrupt, match="`trap-hpc stop` by .*@.* at 20"):
        engine.outcomes(0)
    engine.close()
    assert not stage.paths.stop_request.exists()


def test_a_request_that_is_being_written_is_not_read_by_halves(stage: Stage) -> None:
    seen: set[str] = set()
    threads = [threading.Thread(target=ask_to_stop, args=(stage.paths,))]
    for thread in threads:
        thread.start()
    while threads[0].is_alive():
        seen.add(stop_asked(stage.paths))
    assert all(not by or "@" in by for by in seen)
