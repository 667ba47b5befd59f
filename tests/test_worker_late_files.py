"""Workers on a file system that shows late what the launcher wrote."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from tests.fleet import Fleet, one_fleet
from trap_hpc.engines.base import Finished
from trap_hpc.engines.broker import write_broker
from trap_hpc.engines.lease import Beat, write_beat
from trap_hpc.worker.rollcall import read_roll_calls

__all__ = ["one_fleet"]


@pytest.mark.parametrize("what", ["nothing", "another session's"])
@pytest.mark.parametrize("file", ["broker.json", "lease"])
def test_files_that_are_seen_late_are_waited_for(
    one_fleet: Fleet, file: str, what: str
) -> None:
    """A worker of session 1, where those of session 0 are still to be seen."""
    paths = one_fleet.paths
    one_fleet.by_file = False
    time.sleep(0.1)
    paths.lease.unlink(missing_ok=True)
    if what != "nothing":
        write_beat(paths.lease, Beat(0, 1))
    if file == "broker.json":
        write_broker(paths.broker, replace(one_fleet.broker, epoch=0))
        if what == "nothing":
            paths.broker.unlink()
    one_fleet.start_worker("7_1")
    one_fleet.wait_for(
        lambda: paths.roll_calls.exists() and "cores" in one_fleet.logs()
    )
    time.sleep(1.5)
    write_broker(paths.broker, one_fleet.broker)
    one_fleet.by_file = True
    one_fleet.wait_for_workers(1)
    (call,) = read_roll_calls(paths.roll_calls, 1)
    assert call.address, "it was admitted"


def test_a_worker_at_work_ignores_the_lease_of_an_earlier_session(
    one_fleet: Fleet,
) -> None:
    fleet = one_fleet
    worker = fleet.start_worker("7_1")
    fleet.wait_for_workers(1)
    fleet.by_file = False
    time.sleep(0.1)
    write_beat(fleet.paths.lease, Beat(0, 1))
    fleet.send("sleep-3-1")
    (outcome,) = fleet.hear(1)
    assert isinstance(outcome, Finished)
    assert worker.poll() is None
    write_beat(fleet.paths.lease, Beat(2, 1))
    assert worker.wait(10) == 0
