"""When workers are gone: who is replaced, and when there is no hope."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.watching import Watch
from trap_hpc.errors import RunError
from trap_hpc.run.session.events import Fatal, Suspended


@pytest.fixture
def watch(tmp_path: Path) -> Watch:
    return Watch(tmp_path)


def test_a_run_without_any_worker_left_stops_with_the_reason(watch: Watch) -> None:
    watch.pass_time(5)
    watch.cluster.end("OUT_OF_MEMORY")
    with pytest.raises(RunError, match="all jobs ended: OUT_OF_MEMORY in plain words"):
        watch.pass_time(60)


def test_workers_that_left_are_no_reason_before_the_scheduler_says_one(
    watch: Watch,
) -> None:
    watch.cluster.run()
    watch.workers.come("1_0", "1_1", "1_2")
    watch.pass_time(3)
    watch.workers.there.clear()
    for task in range(3):
        watch.call("left", f"1_{task}")
    watch.cluster.end("CANCELLED")
    with pytest.raises(RunError, match="all jobs ended: CANCELLED in plain words"):
        watch.pass_time(20)


def test_jobs_that_nobody_knows_any_more_are_believed_gone_at_the_second_answer(
    watch: Watch,
) -> None:
    watch.pass_time(5)
    watch.cluster.table.clear()
    watch.pass_time(2)
    assert watch.asked == 2
    with pytest.raises(RunError, match="nobody knows why"):
        watch.pass_time(120)
    assert watch.asked == 3


def test_a_worker_that_is_there_is_hope_enough(watch: Watch) -> None:
    watch.workers.come("1_0")
    watch.cluster.run("1_0")
    watch.cluster.end("FAILED", "1_1", "1_2")
    watch.pass_time(300)


def test_a_driver_that_waits_for_nothing_needs_no_worker(watch: Watch) -> None:
    watch.cluster.end("FAILED")
    for _ in range(100):
        watch.time.sleep(1)
        watch.jobs.ask()
        watch.engine.outcomes(0)


def test_a_job_that_waits_for_ever_does_not_end_the_run(watch: Watch) -> None:
    watch.pass_time(5000)


def test_a_launcher_that_slept_has_its_workers_replaced(watch: Watch) -> None:
    watch.cluster.run()
    watch.workers.come("1_0", "1_1", "1_2")
    watch.pass_time(10)
    watch.events.put(Suspended(75.0))
    watch.cluster.end("COMPLETED")
    watch.pass_time(10)
    assert "nobody heard of the launcher for 75 s" in watch.told
    assert watch.workers.forgotten == {"1_0", "1_1", "1_2"}
    assert "3 jobs submitted to slurm in the place of 1_[0-2]" in watch.told


def test_a_thread_that_failed_ends_the_run(watch: Watch) -> None:
    watch.events.put(Fatal("looking about failed: KeyError: 3"))
    with pytest.raises(RunError, match="looking about failed"):
        watch.engine.outcomes(0)


def test_who_works_can_be_told(watch: Watch) -> None:
    watch.cluster.run("1_0", "1_1")
    watch.workers.come("1_0", "1_1")
    watch.call("refused", "1_9")
    watch.pass_time(8)
    staff = watch.engine.staff()
    assert (staff.workers, staff.wanted) == (4, 6)
    assert staff.jobs == "3 jobs: 1 pending (Priority), 2 running"
    pending = next(group for group in staff.groups if group.state == "pending")
    assert pending.explanation == "PENDING Priority in plain words"
    assert staff.refusals[0].startswith("1 worker on n1 refused")
    assert staff.failed == ("1_9",)


def test_the_lease_is_hurried_while_workers_are_missing(watch: Watch) -> None:
    assert watch.heart.renew_file() == 1.0
    watch.workers.come("1_0", "1_1", "1_2")
    watch.pass_time(2)
    assert watch.heart.renew_file() == 5.0
