"""Who gets another job in their place, and when that has an end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.watching import Watch
from trap_hpc.errors import RunError
from trap_hpc.schedulers.base import State


@pytest.fixture
def watch(tmp_path: Path) -> Watch:
    return Watch(tmp_path)


def test_good_jobs_that_end_early_are_replaced(watch: Watch) -> None:
    watch.cluster.run()
    watch.workers.come("1_0", "1_1", "1_2")
    watch.pass_time(3)
    watch.cluster.end("TIMEOUT", "1_0", "1_1")
    watch.pass_time(70)
    assert "2 jobs submitted to slurm in the place of 1_[0-1]: 2" in watch.told


@pytest.mark.parametrize("native", ["FAILED", "OUT_OF_MEMORY", "exit code 1"])
def test_bad_jobs_that_did_some_work_are_replaced(watch: Watch, native: str) -> None:
    watch.cluster.run()
    watch.workers.come("1_0", "1_1", "1_2")
    watch.pass_time(3)
    watch.cluster.end(native, "1_0")
    watch.pass_time(70)
    assert "1 job submitted to slurm in the place of 1_0: 2" in watch.told


def test_jobs_that_were_cancelled_are_not_replaced(watch: Watch) -> None:
    watch.cluster.run()
    watch.workers.come("1_0", "1_1", "1_2")
    watch.pass_time(3)
    watch.cluster.end("CANCELLED", "1_0")
    watch.pass_time(200)
    assert watch.cluster.calls.count("submit") == 1


def test_jobs_that_end_before_they_did_anything_are_replaced_while_others_work(
    watch: Watch,
) -> None:
    watch.workers.come("1_2")
    watch.cluster.run("1_2")
    watch.pass_time(3)
    watch.cluster.end("FAILED", "1_0")
    watch.pass_time(70)
    assert "1 job submitted to slurm in the place of 1_0: 2" in watch.told


def test_three_in_a_row_that_did_nothing_are_enough(watch: Watch) -> None:
    watch.workers.come("1_2")
    watch.cluster.run("1_2")
    watch.pass_time(3)
    for job in ("1_0", "2_0", "3_0"):
        watch.cluster.end("FAILED", job)
        watch.pass_time(70)
    assert watch.cluster.calls.count("submit") == 3
    assert (
        "3 jobs ended before they had done anything (1_0, 2_0, 3_0): no others are "
        "submitted" in watch.told
    )
    watch.workers.there.clear()
    with pytest.raises(RunError, match="no worker is there, and 3 jobs ended before"):
        watch.pass_time(5)


def test_work_done_by_a_new_job_gives_others_another_chance(watch: Watch) -> None:
    watch.workers.come("1_2")
    watch.cluster.run("1_2")
    watch.pass_time(3)
    watch.cluster.end("FAILED", "1_0", "1_1")
    watch.pass_time(70)
    watch.workers.come("2_0")
    watch.cluster.run("2_0")
    watch.pass_time(3)
    watch.cluster.end("FAILED", "2_1")
    watch.pass_time(70)
    assert "1 job submitted to slurm in the place of 2_1: 3" in watch.told


def test_jobs_that_fail_while_nobody_has_worked_yet_are_not_replaced(
    watch: Watch,
) -> None:
    watch.cluster.end("FAILED", "1_0")
    watch.pass_time(200)
    assert watch.cluster.calls.count("submit") == 1


def test_three_of_many_that_fail_at_once_end_a_run_that_has_done_nothing(
    tmp_path: Path,
) -> None:
    watch = Watch(tmp_path, count=64)
    watch.cluster.end("FAILED", "1_0", "1_1", "1_2")
    with pytest.raises(RunError, match=r"3 jobs ended .* \(1_\[0-2\]\): FAILED in"):
        watch.pass_time(60)


def test_a_job_whose_time_is_nearly_over_is_replaced_before_its_end(
    watch: Watch,
) -> None:
    watch.cluster.run()
    watch.workers.come("1_0", "1_1", "1_2", left_s=3600)
    watch.pass_time(3)
    watch.workers.there.clear()
    watch.workers.come("1_0", left_s=20)
    watch.workers.come("1_1", "1_2", left_s=1800)
    watch.pass_time(3)
    place = "in the place of 1_0, whose time is nearly over: 2"
    assert watch.told.count(place) == 1
    watch.cluster.end("COMPLETED", "1_0")
    watch.workers.there.pop(0)
    watch.pass_time(70)
    assert watch.cluster.calls.count("submit") == 2, "it is replaced once"


def test_a_job_that_can_not_be_replaced_in_advance_is_replaced_at_its_end(
    watch: Watch,
) -> None:
    """As where a user may have only so many jobs."""
    watch.cluster.run()
    watch.workers.come("1_0", "1_1", "1_2", left_s=3600)
    watch.pass_time(3)
    watch.workers.there.clear()
    watch.workers.come("1_0", left_s=20)
    watch.cluster.refusal = "QOSMaxSubmitJobPerUserLimit"
    watch.pass_time(5)
    assert watch.told.count("can't submit others in their place: QOSMax") == 1
    watch.cluster.refusal = ""
    watch.cluster.end("COMPLETED", "1_0")
    watch.pass_time(70)
    assert "1 job submitted to slurm in the place of 1_0: 2" in watch.told


def test_no_job_is_replaced_that_can_do_what_is_left(watch: Watch) -> None:
    watch.cluster.run()
    watch.workers.come("1_0", "1_1", "1_2", left_s=3600)
    watch.pass_time(3)
    watch.engine.work_left_s = lambda: 5.0
    watch.workers.there.clear()
    watch.workers.come("1_0", "1_1", "1_2", left_s=20)
    watch.pass_time(10)
    assert watch.cluster.calls.count("submit") == 1


def test_a_job_that_was_put_back_into_the_queue_has_not_ended(watch: Watch) -> None:
    watch.cluster.run()
    watch.workers.come("1_0", "1_1", "1_2")
    watch.pass_time(3)
    watch.workers.there.clear()
    watch.cluster.end("CANCELLED")
    watch.pass_time(1)
    watch.jobs.hurry()
    watch.cluster.put("1_0", State.PENDING, "PENDING", "BeginTime")
    watch.pass_time(200)


def preempt_all(watch: Watch) -> None:
    """End all jobs, and all that come in their place."""
    for array in range(1, 60):
        ids = [id_ for id_ in watch.cluster.table if id_.startswith(f"{array}_")]
        watch.cluster.run(*ids)
        watch.pass_time(2)
        watch.cluster.end("PREEMPTED", *ids)
        watch.pass_time(61)


def test_jobs_that_work_are_replaced_for_ever(watch: Watch) -> None:
    for array in range(1, 40):
        ids = [f"{array}_{task}" for task in range(3)]
        watch.cluster.run(*ids)
        watch.workers.come(*ids)
        watch.pass_time(2)
        watch.workers.there.clear()
        watch.cluster.end("TIMEOUT", *ids)
        watch.pass_time(61)
    assert watch.cluster.calls.count("submit") == 40


def test_excuses_of_jobs_that_never_work_have_an_end(watch: Watch) -> None:
    with pytest.raises(RunError, match="all jobs ended: PREEMPTED in plain words"):
        preempt_all(watch)
    assert watch.cluster.calls.count("submit") == 11


def test_workers_that_do_not_know_their_end_are_told_by_the_scheduler(
    watch: Watch,
) -> None:
    watch.cluster.run()
    watch.workers.come("1_0", "1_2")
    watch.workers.come("1_1", left_s=3600)
    for task in range(3):
        job = watch.cluster.table[f"1_{task}"]
        watch.cluster.table[job.id] = replace(job, left_s=1800.0)
    watch.pass_time(5)
    told = {each.job: each.seconds for each in watch.workers.ends}
    assert told == {"1_0": 1800.0, "1_2": 1800.0}
