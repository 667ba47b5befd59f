"""Faults of workers: the one process of a job that answers for the others."""

from __future__ import annotations

import signal

from tests.faults.fault import fault
from tests.faults.scene import LEASE_S, Scene
from tests.faults.targets import awake, workers


@fault("worker killed", "SIGKILL of a worker, the parent of them", gap_s=(2.0, 5.0))
def kill(scene: Scene) -> str:
    return scene.send(scene.pick(workers(scene.slurm)), signal.SIGKILL)


@fault(
    "worker suspended",
    "SIGSTOP of a worker, SIGCONT before its lease is over",
    gap_s=(1.0, 4.0),
)
def suspend(scene: Scene) -> str:
    return _suspended(scene, scene.chance.uniform(1, 0.7 * LEASE_S))


@fault(
    "worker suspended for long",
    "SIGSTOP of a worker, SIGCONT after its lease",
    gap_s=(2.0, 6.0),
)
def suspend_for_long(scene: Scene) -> str:
    return _suspended(scene, scene.chance.uniform(1.2 * LEASE_S, 2 * LEASE_S))


def _suspended(scene: Scene, seconds: float) -> str:
    """Stop a worker that is not stopped yet."""
    worker = scene.pick(awake(workers(scene.slurm)))
    said = scene.send(worker, signal.SIGSTOP)
    if said:
        scene.later(seconds, lambda: scene.send(worker, signal.SIGCONT))
    return said and f"{said} for {seconds:.1f} s"
