"""Watching jobs and workers: seldom asked, said once, concluded with care."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stand_ins import RUN
from tests.watching import Watch
from trap_hpc.engines.base import Failed
from trap_hpc.errors import RunError
from trap_hpc.pipeline.tasks import Task
from trap_hpc.run.session.words import of_many
from trap_hpc.schedulers.base import Job, State


@pytest.fixture
def watch(tmp_path: Path) -> Watch:
    return Watch(tmp_path)


def test_the_scheduler_is_asked_ever_less_while_jobs_are_missing(
    watch: Watch,
) -> None:
    watch.pass_time(62)
    assert watch.asked == 5  # after 2, 6, 14, 30 and 62 s
    watch.pass_time(600)
    assert watch.asked <= 16


def test_the_scheduler_is_asked_once_a_minute_when_all_are_there(
    watch: Watch,
) -> None:
    watch.cluster.run()
    watch.workers.come("1_0", "1_1", "1_2")
    watch.pass_time(600)
    assert watch.asked <= 11


def test_workers_whose_work_is_over_within_a_second_are_told_of(watch: Watch) -> None:
    watch.pass_time(1)
    watch.workers.come("1_0")
    watch.engine.outcomes(0.5)
    assert "first worker in" not in watch.told
    watch.workers.news = [Failed(task=Task(run="r", batch="b"), error="none")]
    watch.engine.outcomes(0.5)
    assert "first worker in after 1.0 s, on n1 by address 10.0.0.1" in watch.told


def test_why_jobs_wait_is_said_once(watch: Watch) -> None:
    watch.pass_time(300)
    waits = "3 jobs wait (1_[0-2]): PENDING Priority in plain words"
    assert watch.said.count(waits) == 1
    assert watch.cluster.calls.count("explain") == 1


def test_jobs_that_wait_for_a_moment_are_no_news(watch: Watch) -> None:
    watch.pass_time(3)
    watch.cluster.run()
    watch.pass_time(60)
    assert "wait" not in watch.told


def test_a_job_that_can_never_start_is_said_with_how_to_stop(watch: Watch) -> None:
    for task in range(3):
        watch.cluster.put(f"1_{task}", State.PENDING, "PENDING", "PartitionConfig")
    watch.pass_time(10)
    (line,) = [line for line in watch.said if "PartitionConfig" in line]
    assert line.startswith("3 jobs will never start (1_[0-2]): PENDING ")
    assert f"trap-hpc stop {RUN}" in line


def test_could_not_ask_is_said_once_and_concludes_nothing(watch: Watch) -> None:
    watch.pass_time(4)
    watch.cluster.down = 5
    watch.pass_time(200)
    assert watch.told.count("can't ask squeue for now") == 1
    assert watch.told.count("squeue answers again") == 1
    assert not watch.jobs.ended
    assert not watch.jobs.none_left


def test_jobs_that_end_the_same_way_are_one_sentence(tmp_path: Path) -> None:
    watch = Watch(tmp_path, count=500)
    watch.workers.come("1_499")
    watch.cluster.run("1_499")
    log = watch.paths.logs / "1_0-n1.log"
    log.write_text("a\nb\nTraceback\nModuleNotFoundError: numpy\n")
    watch.cluster.end("FAILED", *(f"1_{n}" for n in range(499)))
    watch.pass_time(10)
    (line,) = [line for line in watch.said if "in plain words" in line]
    assert line.startswith("499 jobs ended (1_[0-498] on n1): FAILED in plain words")
    assert line.endswith("Traceback\n    ModuleNotFoundError: numpy")
    assert str(log) in line


@pytest.mark.parametrize(
    ("explanation", "rest"),
    [
        ("job 1_0 waits: the queue is down; name another", "the queue is down; name "),
        ("job 1_0 will never start: no node has it", "no node has it"),
        ("job 1_0 on n1.far: it was over its memory", "it was over its memory"),
        ("job 1_0 was cancelled", "was cancelled"),
        ("job 1_01 waits: not ours", "job 1_01 waits: not ours"),
    ],
)
def test_what_is_true_of_many_names_none(explanation: str, rest: str) -> None:
    job = Job(id="1_0", name=RUN, state=State.ENDED, native="FAILED")
    assert of_many(job, explanation).startswith(rest)


def test_tasks_of_ended_jobs_are_given_up(watch: Watch) -> None:
    watch.cluster.run()
    watch.workers.come("1_0", "1_1")
    watch.pass_time(3)
    watch.engine.submit(Task(run="r", batch="b", attempt=1))
    watch.cluster.end("FAILED", "1_0")
    watch.pass_time(70)
    assert "1_0" in watch.workers.forgotten
    assert not watch.workers.tasks


def test_workers_that_say_the_same_are_one_sentence(tmp_path: Path) -> None:
    watch = Watch(tmp_path, count=50)
    for task in range(49):
        watch.call("refused", f"1_{task}", f"n{task % 10}")
    watch.pass_time(2)
    watch.call("refused", "1_49", "n3")
    with pytest.raises(RunError) as stopped:
        watch.pass_time(5)
    lines = [line for line in watch.said if "refused" in line]
    assert lines == [
        "49 workers on n0, n1, n2, n3, n4 and 5 more refused: runs code theirs, the "
        "run has code ours: numpy is 1.0 there and 2.0 here"
    ]
    assert "no worker is left, for all jobs ended: 50 workers on" in str(stopped.value)
    assert "runs code theirs, the run has code ours" in str(stopped.value)


def test_codes_are_named_once(watch: Watch) -> None:
    said = "the run's code is ours, and this is theirs: numpy 2.4.6 instead of 2.4.5"
    watch.call("refused", "1_0", "n1", message=said)
    watch.pass_time(3)
    assert (
        "1 worker on n1 refused: runs code theirs, the run has code ours: numpy 2.4.6 "
        "instead of 2.4.5"
    ) in watch.said


def test_a_job_that_has_told_why_it_ends_is_not_explained_by_its_scheduler(
    watch: Watch,
) -> None:
    watch.cluster.end("FAILED", "1_0")
    watch.call("unreachable", "1_0", "n1")
    watch.time.sleep(30)
    watch.pass_time(1)  # the scheduler is asked before anybody looks about
    assert "could not reach the launcher" in watch.told
    assert "FAILED" not in watch.told


def test_addresses_that_did_not_answer_are_named(watch: Watch) -> None:
    watch.call("unreachable", "1_0", "n2")
    watch.pass_time(2)
    assert (
        "1 worker on n2 could not reach the launcher: tried 10.0.0.1:1234 "
        "(no route to host)" in watch.told
    )
    assert "`interface`" in watch.told
