"""A worker that needs long before it can begin."""

from __future__ import annotations

import signal
import time
from dataclasses import replace

from tests.fleet import Fleet, one_fleet
from trap_hpc.engines.broker import write_broker

__all__ = ["one_fleet"]


def test_a_worker_may_need_longer_than_a_lease_to_begin(one_fleet: Fleet) -> None:
    """It imports a lot, and may do so from a slow file system."""
    fleet, lease_s = one_fleet, 2.0
    write_broker(fleet.paths.broker, replace(fleet.broker, lease_s=lease_s))
    worker = fleet.start_worker("7_1")
    while "reached the broker" not in fleet.logs():
        time.sleep(0.005)
    worker.send_signal(signal.SIGSTOP)
    assert "takes tasks" not in fleet.logs()
    over_s = time.monotonic() + 1.5 * lease_s
    fleet.wait_for(lambda: time.monotonic() > over_s)
    worker.send_signal(signal.SIGCONT)
    fleet.wait_for_workers(1)
