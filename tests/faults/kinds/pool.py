"""Faults of the processes that work on batches."""

from __future__ import annotations

import signal

from tests.faults.fault import fault
from tests.faults.scene import Scene
from tests.faults.targets import pool_children


@fault(
    "process killed",
    "SIGKILL of a worker's process that works on batches",
    gap_s=(0.8, 2.0),
)
def kill(scene: Scene) -> str:
    return scene.send(scene.pick(pool_children(scene.slurm)), signal.SIGKILL)


@fault(
    "process suspended",
    "SIGSTOP of such a process, SIGCONT after 1-8 s",
    gap_s=(0.8, 2.0),
)
def suspend(scene: Scene) -> str:
    process = scene.pick(pool_children(scene.slurm))
    said = scene.send(process, signal.SIGSTOP)
    if said:
        scene.later(
            scene.chance.uniform(1, 8), lambda: scene.send(process, signal.SIGCONT)
        )
    return said
