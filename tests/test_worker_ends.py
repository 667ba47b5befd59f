"""How a worker ends: soon, with all its processes, and nothing is lost by it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.brokers import is_gone, wait_until
from tests.fleet import Fleet, each_fleet, one_fleet, processes_of
from tests.rabbitmq import rabbitmq_url
from trap_hpc.engines.base import Died, Finished, Lost
from trap_hpc.worker.rollcall import read_roll_calls

__all__ = ["each_fleet", "one_fleet", "rabbitmq_url"]


def busy_worker(
    fleet: Fleet, slots: int = 1, sleep: str = "60"
) -> tuple[subprocess.Popen[bytes], list[psutil.Process]]:
    """One that works on a task and has another one waiting, and its processes."""
    worker = fleet.start_worker("7_1", slots=slots)
    fleet.wait_for_workers(1)
    fleet.send(*(f"sleep-{sleep}-{n}" for n in range(2 * slots)))
    fleet.wait_for(lambda: len(fleet.executed()) >= slots)
    return worker, processes_of(worker)


def assert_ended(
    worker: subprocess.Popen[bytes], pool: list[psutil.Process], within_s: float
) -> None:
    began_s = time.monotonic()
    assert worker.wait(within_s) == 0
    while not all(is_gone(process) for process in pool):
        assert time.monotonic() - began_s < within_s
        time.sleep(0.01)


def test_it_ends_within_the_lease_when_the_launcher_is_gone(one_fleet: Fleet) -> None:
    fleet = one_fleet
    worker, pool = busy_worker(fleet)
    fleet.alive.clear()
    assert_ended(worker, pool, fleet.broker.lease_s + 2)
    assert "nothing was seen of the launcher" in fleet.logs()


def test_it_lives_on_one_of_two_ways_to_see_the_launcher(one_fleet: Fleet) -> None:
    """The broker alone: as on a file system that hangs."""
    fleet = one_fleet
    worker, _ = busy_worker(fleet)
    fleet.by_file = False
    until_s = time.monotonic() + fleet.broker.lease_s + 2
    fleet.wait_for(lambda: time.monotonic() > until_s)
    assert worker.poll() is None


def test_it_ends_by_itself_when_it_was_suspended_for_a_lease(one_fleet: Fleet) -> None:
    fleet = one_fleet
    worker, pool = busy_worker(fleet)
    os.kill(worker.pid, signal.SIGSTOP)
    lost = fleet.hear(2, within_s=fleet.broker.lease_s + 3)
    assert all(isinstance(outcome, Lost) for outcome in lost)
    os.kill(worker.pid, signal.SIGCONT)
    assert_ended(worker, pool, 2)


def test_it_drops_all_and_is_gone_within_a_second_of_sigterm(
    one_fleet: Fleet,
) -> None:
    fleet = one_fleet
    worker, pool = busy_worker(fleet)
    # As schedulers do: to all processes at a time, in no order.
    for process in [*pool, psutil.Process(worker.pid)]:
        process.terminate()
    assert_ended(worker, pool, 1)
    lost = fleet.hear(2, within_s=3)
    assert all(isinstance(outcome, Lost) for outcome in lost), "no task is to blame"
    assert fleet.engine.capacity == 0
    (call,) = read_roll_calls(fleet.paths.roll_calls, 1)
    assert call.state == "left"
    assert "SIGTERM" in call.message


@pytest.mark.skipif(sys.platform != "linux", reason="others have no such signal")
def test_its_processes_end_with_it_in_the_middle_of_a_task(one_fleet: Fleet) -> None:
    """Killed where no scheduler cleans up after it; nobody could stop them any more."""
    worker, pool = busy_worker(one_fleet)
    worker.kill()
    worker.wait()
    wait_until(lambda: all(map(is_gone, pool)), 2.0)


def test_it_leaves_no_folder_when_it_is_killed(
    one_fleet: Fleet, tmp_path: Path
) -> None:
    folder = tmp_path / "of the node"
    folder.mkdir()
    worker = one_fleet.start_worker("7_1", TMPDIR=str(folder))
    one_fleet.wait_for_workers(1)
    worker.kill()
    worker.wait()
    assert not list(folder.iterdir())


def test_it_stops_when_the_launcher_says_so(each_fleet: Fleet) -> None:
    worker, pool = busy_worker(each_fleet)
    each_fleet.engine.dismiss()
    assert_ended(worker, pool, 2)


def test_before_its_time_is_over_it_finishes_what_it_has_begun(
    each_fleet: Fleet,
) -> None:
    fleet = each_fleet
    worker, pool = busy_worker(fleet, sleep="2")
    for process in [*pool, psutil.Process(worker.pid)]:
        process.send_signal(signal.SIGUSR1)
    (lost,) = fleet.hear(1, within_s=1.5)
    assert isinstance(lost, Lost), "what had not begun is given back at once"
    assert fleet.engine.capacity == 0
    (finished,) = fleet.hear(1)
    assert isinstance(finished, Finished)
    assert_ended(worker, pool, 2)
    assert len(fleet.executed()) == 1


def test_an_idle_one_leaves_at_once_when_its_time_is_nearly_over(
    one_fleet: Fleet,
) -> None:
    worker = one_fleet.start_worker()
    one_fleet.wait_for_workers(1)
    pool = processes_of(worker)
    worker.send_signal(signal.SIGUSR1)
    assert_ended(worker, pool, 2)


def test_hangups_and_interrupts_do_no_harm(one_fleet: Fleet) -> None:
    fleet = one_fleet
    worker, pool = busy_worker(fleet, sleep="2")
    worker.send_signal(signal.SIGHUP)
    for process in pool:
        process.send_signal(signal.SIGINT)
    outcomes = fleet.hear(2)
    assert all(isinstance(outcome, Finished) for outcome in outcomes)
    assert not any(isinstance(outcome, Died) for outcome in outcomes)
