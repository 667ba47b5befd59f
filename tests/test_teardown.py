"""Ending a session: nothing is left, and the scheduler has said so."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sessions import Stage, a_record
from tests.stand_ins import RUN, Cluster, Workers
from trap_hpc.errors import BrokerError
from trap_hpc.run.session.record import read_session
from trap_hpc.run.session.teardown import Report, Teardown
from trap_hpc.schedulers.base import State


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def teardown(stage: Stage, **changes: object) -> Teardown:
    facts: dict[str, object] = {
        "directory": stage.directory,
        "record": a_record(),
        "scheduler": stage.cluster,
        "clock": stage.time,
        "sleep": stage.time.sleep,
        "say": stage.said.append,
        "log": stage.said.append,
    }
    return Teardown(**(facts | changes))  # type: ignore[arg-type]


def jobs(cluster: Cluster, number: int, array: str = "1") -> None:
    for task in range(number):
        cluster.put(f"{array}_{task}", State.RUNNING, "RUNNING")


def test_jobs_are_ended_and_the_scheduler_says_so(stage: Stage) -> None:
    jobs(stage.cluster, 3)
    report = teardown(stage).run()
    assert str(report) == "3 jobs submitted, 0 left (asked squeue)"
    assert report.good
    record = read_session(stage.directory)
    assert record is not None
    assert (record.up, record.left, record.asked) == (False, 0, "squeue")


def test_a_thousand_jobs_take_a_handful_of_calls(stage: Stage) -> None:
    jobs(stage.cluster, 1000)
    report = teardown(stage, record=a_record(jobs=1000)).run()
    assert report.left == 0
    assert stage.cluster.calls == ["jobs", "cancel", "jobs", "jobs"]
    assert stage.time() - 1000 < 10


def test_workers_that_leave_by_themselves_are_not_cancelled(stage: Stage) -> None:
    jobs(stage.cluster, 3)

    def leave(_: float) -> None:
        stage.cluster.end("COMPLETED")

    stage.time.then = leave
    teardown(stage, grace_s=1.0).run()
    assert stage.cluster.calls == ["jobs"]


def test_jobs_that_were_never_noted_are_found_by_the_run(stage: Stage) -> None:
    jobs(stage.cluster, 2, array="77")
    report = teardown(stage, record=a_record(arrays=(), jobs=0)).run()
    assert report.left == 0
    assert not any(job.state.left for job in stage.cluster.table.values())


@pytest.mark.parametrize("needed", [False, True])
def test_a_worker_that_begins_during_the_end_finds_nothing_to_do(
    stage: Stage, *, needed: bool
) -> None:
    jobs(stage.cluster, 3)
    stage.paths.broker.write_text("secret")
    there = []
    stage.time.then = lambda _: there.append(stage.paths.broker.exists())
    stop = stage.paths.broker.read_text if needed else lambda: None
    done = teardown(stage, credentials_last=needed, stop_broker=stop).run()
    assert set(there) == {needed}
    assert not stage.paths.broker.exists()
    assert done.good


def test_a_submission_without_an_answer_is_asked_for_twice(stage: Stage) -> None:
    def arrive(now_s: float) -> None:
        if not stage.cluster.table:
            jobs(stage.cluster, 2, array="77")

    stage.time.then = arrive
    report = teardown(stage, record=a_record(arrays=(), jobs=0)).run()
    assert report.left == 0
    assert "cancel" in stage.cluster.calls


def test_jobs_that_do_not_end_are_named_and_the_session_stays_up(
    stage: Stage,
) -> None:
    jobs(stage.cluster, 3)
    stage.cluster.obeys = False
    report = teardown(stage, patience_s=30).run()
    assert report.left == 3
    assert str(report).startswith("3 jobs submitted, 3 left (asked squeue) after 3")
    assert "1_[0-2] ending (COMPLETING) on n1" in str(report)
    assert f"trap-hpc reap {RUN}" in str(report)
    assert "waiting for 3 jobs to end: 1_[0-2] ending (COMPLETING)" in stage.told
    assert 30 <= stage.time() - 1000 < 40
    record = read_session(stage.directory)
    assert record is not None
    assert record.up


def test_not_asked_is_not_gone(stage: Stage) -> None:
    jobs(stage.cluster, 3)
    stage.cluster.down = 10_000
    report = teardown(stage, patience_s=30).run()
    assert report.left is None
    assert "squeue did not say whether any is left" in str(report)
    assert "Unable to contact slurm controller" in str(report)
    record = read_session(stage.directory)
    assert record is not None
    assert record.up
    assert record.left is None


def test_a_scheduler_that_comes_back_is_asked_again(stage: Stage) -> None:
    jobs(stage.cluster, 3)
    stage.cluster.down = 6
    assert teardown(stage).run().left == 0


def test_known_jobs_are_cancelled_even_if_nobody_tells_of_them(stage: Stage) -> None:
    jobs(stage.cluster, 3)
    stage.cluster.down = 1  # squeue alone
    teardown(stage).run()
    assert stage.cluster.calls[:2] == ["jobs", "cancel"]


def test_each_step_is_tried_even_if_one_before_failed(stage: Stage) -> None:
    jobs(stage.cluster, 1)
    did: list[str] = []
    workers = Workers(fault=BrokerError("the broker is gone"))

    def broken() -> None:
        raise RuntimeError("no such thing")

    report = teardown(
        stage,
        dismiss=workers.dismiss,
        close_engine=broken,
        stop_broker=lambda: did.append("broker"),
        end_lease=lambda: did.append("lease"),
    ).run()
    assert report.left == 0
    assert not report.good
    assert did == ["broker", "lease"]
    assert report.problems == (
        "could not tell the workers to stop: the broker is gone",
        "could not close the engine: RuntimeError: no such thing",
    )


def test_credentials_and_roll_calls_are_gone(stage: Stage) -> None:
    stage.paths.roll_calls.mkdir()
    (stage.paths.roll_calls / "1_0-n1-7.json").write_text("{}")
    (stage.paths.roll_calls / ".1_1-n1-7.json.7.tmp").write_text("{")
    stage.paths.broker.write_text("secret")
    teardown(stage).run()
    assert not stage.paths.broker.exists()
    assert not list(stage.paths.roll_calls.iterdir())


def test_nothing_submitted_is_asked_once(stage: Stage) -> None:
    record = a_record(submitting=False, arrays=(), jobs=0)
    stage.cluster.down = 10_000
    report = teardown(stage, record=record).run()
    assert stage.cluster.calls == ["jobs"]
    left = read_session(stage.directory)
    assert left is not None
    assert not left.up
    assert report.left is None


def test_a_run_directory_that_is_gone_is_a_problem_and_no_crash(stage: Stage) -> None:
    jobs(stage.cluster, 1)
    report = teardown(stage, directory=stage.directory / "gone").run()
    assert report.left == 0
    assert [p.partition(":")[0] for p in report.problems] == [
        "could not note how it ended"
    ]


def test_one_job_is_no_jobs() -> None:
    report = Report(
        run_id=RUN,
        jobs=1,
        left=0,
        left_text="",
        asked="squeue",
        seconds=1.0,
        problems=(),
    )
    assert str(report) == "1 job submitted, 0 left (asked squeue)"
