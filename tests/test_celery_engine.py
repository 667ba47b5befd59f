"""The Celery engine with real brokers and real workers."""

from __future__ import annotations

import os
import signal

from tests.brokers import is_gone
from tests.fleet import Fleet, each_fleet, one_fleet, processes_of
from tests.rabbitmq import rabbitmq_url
from trap_hpc.engines.base import Died, Finished, Lost

__all__ = ["each_fleet", "one_fleet", "rabbitmq_url"]


def test_tasks_are_done_once_by_all_workers(each_fleet: Fleet) -> None:
    fleet = each_fleet
    for number in range(2):
        fleet.start_worker(f"job_{number}", slots=2)
    fleet.wait_for_workers(2)
    assert fleet.engine.capacity == 8
    assert fleet.engine.workers == 4
    names = [f"sleep-0.05-{n}" for n in range(40)]
    waiting = list(names)
    while len(fleet.heard) < len(names):
        under_way = len(names) - len(waiting) - len(fleet.heard)
        while waiting and under_way < fleet.engine.capacity:
            fleet.send(waiting.pop(0))
            under_way += 1
        fleet.hear(1)
    assert all(isinstance(outcome, Finished) for outcome in fleet.heard)
    assert sorted(o.task.batch for o in fleet.heard) == sorted(names)
    assert sorted(fleet.executed()) == sorted(names)
    jobs = {member.job for member in fleet.engine.members()}
    assert jobs == {"job_0", "job_1"}


def test_a_process_that_dies_under_a_task_is_told_within_two_seconds(
    each_fleet: Fleet,
) -> None:
    fleet = each_fleet
    fleet.start_worker(slots=2)
    fleet.wait_for_workers(1)
    bad, *good = fleet.send("die-1", "sleep-0.1-1", "sleep-0.1-2")
    took_s = fleet.wait_for(
        lambda: any(isinstance(outcome, Died) for outcome in fleet.heard)
    )
    assert took_s < 3
    fleet.wait_for(lambda: len(fleet.heard) == 3)
    (died,) = (o for o in fleet.heard if isinstance(o, Died))
    assert died.task == bad
    assert "signal 9" in died.how
    assert {o.task for o in fleet.heard if isinstance(o, Finished)} == set(good)
    fleet.send("sleep-0-3")
    (outcome,) = fleet.hear(1)
    assert isinstance(outcome, Finished), "the process was replaced"


def test_a_worker_that_is_killed_loses_its_tasks_within_the_lease(
    one_fleet: Fleet,
) -> None:
    fleet = one_fleet
    worker = fleet.start_worker(slots=1)
    fleet.wait_for_workers(1)
    tasks = fleet.send("sleep-60-1", "sleep-60-2")
    fleet.wait_for(lambda: fleet.executed())
    pool = processes_of(worker)
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    lost = fleet.hear(2, within_s=fleet.broker.lease_s + 3)
    assert all(isinstance(outcome, Lost) for outcome in lost)
    assert {outcome.task for outcome in lost} == set(tasks)
    assert fleet.engine.capacity == 0
    assert all(is_gone(process) for process in pool), "they die with it"


def test_the_tasks_of_a_job_that_has_ended_are_lost_at_once(one_fleet: Fleet) -> None:
    fleet = one_fleet
    worker = fleet.start_worker("7_1")
    fleet.wait_for_workers(1)
    fleet.send("sleep-60-1", "sleep-60-2")
    fleet.wait_for(lambda: fleet.executed())
    os.kill(worker.pid, signal.SIGKILL)
    fleet.engine.forget(["7_1"])
    lost = fleet.hear(1, within_s=0.5)
    assert lost
    fleet.wait_for(lambda: len(fleet.heard) == 2, within_s=10)
    assert all(isinstance(outcome, Lost) for outcome in fleet.heard)
