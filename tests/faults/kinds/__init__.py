"""All faults, in the order of the table."""

from __future__ import annotations

from tests.faults.fault import Fault
from tests.faults.kinds import (
    broker,
    clock,
    disk,
    files,
    images,
    late,
    launcher,
    memory,
    node,
    pool,
    scheduler,
    service,
    worker,
)

ALL: tuple[Fault, ...] = (
    pool.kill,
    pool.suspend,
    pool.stop,
    worker.kill,
    worker.suspend,
    worker.suspend_for_long,
    node.switch_off,
    node.cut,
    node.cut_for_long,
    scheduler.cancel,
    scheduler.preempt,
    scheduler.reach_walltime,
    memory.exhaust,
    broker.kill,
    disk.fill_temporary,
    disk.fill_run,
    launcher.kill,
    files.damage,
    files.damage_of_the_dead,
    images.poison,
    images.hang,
    images.vanish,
    late.delay,
    clock.wrong,
    service.kill_rabbitmq,
    service.kill_redis,
    service.kill_database,
)
FAULTS = {fault.name: fault for fault in ALL}
