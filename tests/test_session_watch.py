"""Watching jobs and workers: seldom asked, said once, concluded with care."""

from __future__ import annotations

from pathlib import Path
from queue import SimpleQueue

import pytest

from tests.sessions import RUN, Stage, a_call, a_request
from trap_hpc.errors import RunError
from trap_hpc.pipeline.tasks import Task
from trap_hpc.run.session.crew import Crew
from trap_hpc.run.session.events import Event, Fatal, Suspended
from trap_hpc.run.session.heart import Heart
from trap_hpc.run.session.jobwatch import JobWatch
from trap_hpc.run.session.lookout import Lookout
from trap_hpc.run.session.watched import WatchedEngine
from trap_hpc.schedulers.base import State
from trap_hpc.worker.rollcall import write_roll_call


class Watch:
    """A session's watch, whose threads are replaced by `pass_time`."""

    def __init__(self, directory: Path, count: int = 3, poll_s: float = 60) -> None:
        self.stage = Stage(directory)
        self.paths = self.stage.paths
        for folder in (self.paths.roll_calls, self.paths.logs):
            folder.mkdir()
        self.cluster, self.workers = self.stage.cluster, self.stage.workers
        self.time = self.stage.time
        self.events: SimpleQueue[Event] = SimpleQueue()
        post = self.events.put
        self.jobs = JobWatch(
            self.cluster,
            RUN,
            logs=self.paths.logs,
            poll_s=poll_s,
            post=post,
            clock=self.time,
        )
        self.lookout = Lookout(
            paths=self.paths,
            epoch=1,
            port=1234,
            post=post,
            clock=self.time,
            alarm=self.jobs.hurry,
        )
        self.jobs.excused = self.lookout.jobs_failed
        heart = Heart(
            self.paths.lease,
            1,
            lease_s=60,
            beat_s=5,
            post=post,
            clock=self.time,
        )
        self.crew = Crew(
            scheduler=self.cluster,
            request=a_request(self.paths, count),
            note=lambda ids, jobs: None,
            watch=self.jobs,
            lookout=self.lookout,
            heart=heart,
            post=post,
            clock=self.time,
        )
        self.heart = heart
        self.engine = WatchedEngine(
            self.workers,
            self.crew,
            self.events,
            say=self.stage.said.append,
            clock=self.time,
        )
        self.crew.submit()

    @property
    def said(self) -> list[str]:
        return self.stage.said

    @property
    def told(self) -> str:
        return self.stage.told

    @property
    def asked(self) -> int:
        return self.cluster.calls.count("jobs")

    def pass_time(self, seconds: int) -> None:
        for _ in range(seconds):
            self.time.sleep(1)
            self.jobs.ask()
            self.lookout.look()
            self.engine.outcomes(0.5)

    def call(self, state: str, job: str, node: str = "n1", **changes: object) -> None:
        write_roll_call(self.paths.roll_calls, a_call(state, job, node, **changes))


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
    assert line.startswith("3 jobs wait (1_[0-2]): PENDING PartitionConfig in plain")
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
    (line,) = [line for line in watch.said if "ended" in line]
    assert line.startswith("499 jobs ended (1_[0-498]): FAILED in plain words")
    assert line.endswith("Traceback\n    ModuleNotFoundError: numpy")
    assert str(log) in line


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


def test_addresses_that_did_not_answer_are_named(watch: Watch) -> None:
    watch.call("unreachable", "1_0", "n2")
    watch.pass_time(2)
    assert (
        "1 worker on n2 could not reach the launcher: tried 10.0.0.1:1234 "
        "(no route to host)" in watch.told
    )
    assert "`interface`" in watch.told


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


def test_good_jobs_that_end_early_are_replaced(watch: Watch) -> None:
    watch.cluster.run()
    watch.workers.come("1_0", "1_1", "1_2")
    watch.pass_time(3)
    watch.cluster.end("TIMEOUT", "1_0", "1_1")
    watch.pass_time(70)
    assert "2 jobs submitted to slurm in the place of 1_[0-1]: 2" in watch.told


@pytest.mark.parametrize("native", ["FAILED", "CANCELLED", "OUT_OF_MEMORY"])
def test_bad_jobs_are_not_replaced(watch: Watch, native: str) -> None:
    watch.cluster.run()
    watch.workers.come("1_0", "1_1", "1_2")
    watch.pass_time(3)
    watch.cluster.end(native, "1_0")
    watch.pass_time(200)
    assert watch.cluster.calls.count("submit") == 1


def test_jobs_whose_worker_never_came_are_not_replaced(watch: Watch) -> None:
    watch.workers.come("1_2")
    watch.cluster.run("1_2")
    watch.cluster.end("COMPLETED", "1_0")
    watch.pass_time(200)
    assert watch.cluster.calls.count("submit") == 1


def preempt_all(watch: Watch) -> None:
    """End all jobs, and all that come in their place."""
    for array in range(1, 60):
        ids = [id_ for id_ in watch.cluster.table if id_.startswith(f"{array}_")]
        watch.cluster.run(*ids)
        watch.workers.come(*ids)
        watch.pass_time(2)
        watch.cluster.end("PREEMPTED", *ids)
        watch.pass_time(61)


def test_jobs_whose_worker_came_and_went_unseen_are_replaced(watch: Watch) -> None:
    watch.workers.come("1_2")
    watch.cluster.run()
    watch.call("left", "1_0")
    watch.cluster.end("COMPLETED", "1_0")
    watch.pass_time(10)
    assert "1 job submitted to slurm in the place of 1_0: 2" in watch.told


def test_replacing_has_an_end(watch: Watch) -> None:
    with pytest.raises(RunError, match="all jobs ended: PREEMPTED in plain words"):
        preempt_all(watch)
    assert watch.cluster.calls.count("submit") == 11


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
