"""Bringing a session up and down; what happens if a part of it can't be."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.sessions import Stage, a_broker, a_call
from tests.stand_ins import RUN, Server
from trap_hpc.alive import this_process
from trap_hpc.engines.base import Engine
from trap_hpc.engines.broker import read_broker
from trap_hpc.engines.lease import read_beat
from trap_hpc.errors import BrokerError, RunError, SchedulerError
from trap_hpc.run.session.events import Suspended
from trap_hpc.run.session.record import SessionRecord, read_session, write_session
from trap_hpc.run.session.stopping import ask_to_stop
from trap_hpc.schedulers.base import JobRequest
from trap_hpc.worker.rollcall import write_roll_call


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def server_of(stage: Stage) -> Server:
    assert stage.server is not None
    return stage.server


def record_of(stage: Stage) -> SessionRecord:
    record = read_session(stage.directory)
    assert record is not None
    return record


def listen(engine: Engine, until: Callable[[], bool]) -> None:
    """Be the driver, who waits; the session's threads look about each second."""
    deadline = time.monotonic() + 10
    while not until():
        assert time.monotonic() < deadline
        engine.outcomes(0)
        time.sleep(0.01)


def never() -> bool:
    return False


def test_a_session_comes_up_and_goes_down(stage: Stage) -> None:
    session = stage.session()
    engine = session.up()
    assert record_of(stage).up
    assert record_of(stage).arrays == ("1",)
    assert (record_of(stage).jobs, record_of(stage).workers) == (3, 6)
    assert read_broker(stage.paths.broker) == server_of(stage).broker
    beat = read_beat(stage.paths.lease)
    assert beat is not None
    assert beat.epoch == 1
    stage.cluster.run()
    stage.workers.come("1_0", "1_1", "1_2")
    stage.time.sleep(1)
    engine.outcomes(0.1)
    report = session.down()
    assert report is not None
    assert report.good
    assert stage.workers.did == ["start", "dismiss", "close"]
    assert server_of(stage).did == ["stop"]
    assert not stage.paths.broker.exists()
    assert not stage.paths.lease.exists()
    assert not record_of(stage).up
    assert stage.said == [
        "3 jobs submitted to slurm: 1",
        "first worker in after 1.0 s, on n1 by address 10.0.0.1",
        "6 workers in after 1.0 s, on 1 node",
        "3 jobs submitted, 0 left (asked squeue)",
    ]


def test_the_record_names_this_process(stage: Stage) -> None:
    session = stage.session()
    session.up()
    record, us = record_of(stage), this_process()
    session.down()
    assert (record.pid, record.host, record.machine) == (us.pid, us.host, us.machine)
    assert record.launcher_began_s == us.began_s


def test_the_record_is_there_before_anything_is_submitted(stage: Stage) -> None:
    seen: list[SessionRecord] = []
    submit = stage.cluster.submit

    def watch(request: JobRequest) -> tuple[str, ...]:
        seen.append(record_of(stage))
        return submit(request)

    stage.cluster.submit = watch  # type: ignore[method-assign]
    session = stage.session()
    session.up()
    session.down()
    assert seen[0].up
    assert seen[0].submitting
    assert seen[0].arrays == ()


def test_refused_jobs_leave_nothing_behind(stage: Stage) -> None:
    stage.cluster.refusal = "sbatch: error: invalid account"
    session = stage.session()
    with pytest.raises(SchedulerError, match="invalid account"):
        session.up()
    report = session.down("refused")
    assert report is not None
    assert report.left == 0
    assert not record_of(stage).up
    assert record_of(stage).remark == "refused"
    assert server_of(stage).did == ["stop"]
    assert not stage.paths.broker.exists()
    assert not stage.paths.lease.exists()


def test_a_broker_that_does_not_start_leaves_nothing_behind(stage: Stage) -> None:
    stage.server = None
    session = stage.session()
    with pytest.raises(BrokerError):
        session.up()
    session.down("no program")
    assert not record_of(stage).up
    assert not stage.paths.lease.exists()
    assert stage.cluster.calls == ["jobs"]


def test_a_scheduler_that_is_not_there_has_nothing_to_end(stage: Stage) -> None:
    session = stage.session()

    def fail() -> str:
        raise SchedulerError("no squeue here")

    stage.cluster.cluster = fail  # type: ignore[method-assign]
    with pytest.raises(SchedulerError):
        session.up()
    assert session.down("no squeue") is None
    assert read_session(stage.directory) is None


def test_a_request_to_stop_is_obeyed(stage: Stage) -> None:
    session = stage.session()
    engine = session.up()
    ask_to_stop(stage.paths)
    with pytest.raises(KeyboardInterrupt, match="`trap-hpc stop` by .*@"):
        listen(engine, never)
    session.down("stopped")
    assert not stage.paths.stop_request.exists()


def test_a_broker_that_died_is_replaced(stage: Stage) -> None:
    session = stage.session()
    engine = session.up()
    dead = server_of(stage)
    dead.ended, stage.workers.deaf = "it was killed", BrokerError("no answer")
    stage.server = Server(a_broker(port=4321))

    def start() -> None:
        stage.workers.deaf = None
        assert stage.paths.broker.exists(), "a worker would believe that all is over"
        assert dead.did == []

    stage.workers.start = start  # type: ignore[method-assign]
    listen(engine, lambda: "another broker takes its place" in stage.told)
    listen(engine, lambda: stage.workers.deaf is None)
    assert dead.did == ["stop"]
    assert read_broker(stage.paths.broker).port == 4321
    session.down()
    assert stage.server.did == ["stop"]


def test_a_signal_whose_exception_was_swallowed_ends_the_run_all_the_same(
    stage: Stage,
) -> None:
    session = stage.session()
    engine = session.up()
    session.interrupted("SIGTERM")
    with pytest.raises(KeyboardInterrupt, match="SIGTERM"):
        engine.outcomes(0)
    session.down("SIGTERM")


def test_a_launcher_that_was_reaped_while_suspended_ends(stage: Stage) -> None:
    session = stage.session()
    engine = session.up()
    end_of_it = replace(record_of(stage), up=False, remark="its launcher is gone")
    write_session(stage.directory, end_of_it)
    session._events.put(Suspended(12.0))
    with pytest.raises(RunError, match="taken for dead: its launcher is gone"):
        engine.outcomes(0)
    session.down("taken for dead")
    assert stage.cluster.calls.count("submit") == 1


def test_a_worker_that_is_refused_is_told_at_once(stage: Stage) -> None:
    session = stage.session()
    engine = session.up()
    write_roll_call(stage.paths.roll_calls, a_call("refused", "1_0"))
    listen(engine, lambda: "worker on n1 refused: runs code theirs" in stage.told)
    session.down()
    assert record_of(stage).failed == ("1_0",)


def test_ids_that_were_not_noted_end_with_the_session(stage: Stage) -> None:
    """The launcher was interrupted between the submission and its answer."""
    submit = stage.cluster.submit

    def interrupted(request: JobRequest) -> tuple[str, ...]:
        submit(request)
        raise KeyboardInterrupt("SIGINT")

    stage.cluster.submit = interrupted  # type: ignore[method-assign]
    session = stage.session()
    with pytest.raises(KeyboardInterrupt):
        session.up()
    report = session.down("SIGINT")
    assert report is not None
    assert report.left == 0
    assert not any(job.state.left for job in stage.cluster.table.values())
    assert record_of(stage).run_id == RUN
