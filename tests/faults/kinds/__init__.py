"""All faults, in the order of the table."""

from __future__ import annotations

from tests.faults.fault import Fault
from tests.faults.kinds import broker, launcher, node, pool, worker

ALL: tuple[Fault, ...] = (
    pool.kill,
    pool.suspend,
    worker.kill,
    worker.suspend,
    worker.suspend_for_long,
    node.switch_off,
    node.cut,
    node.cut_for_long,
    broker.kill,
    launcher.kill,
)
FAULTS = {fault.name: fault for fault in ALL}
