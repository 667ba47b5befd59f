"""Faults of the launcher."""

from __future__ import annotations

import signal

from tests.faults.fault import fault
from tests.faults.scene import Scene


@fault(
    "launcher killed",
    "SIGKILL of the launcher, `resume` on either login host",
    gap_s=(0.5, 14.0),
    from_start=True,
    kills_launcher=True,
)
def kill(scene: Scene) -> str:
    # Before that there is no run to resume: `trap-hpc run` is to be called again.
    if scene.launch.command.over or not scene.launch.paths.ledger.exists():
        return ""
    pid = scene.launch.command.pid
    scene.launch.command.send(signal.SIGKILL)
    return f"SIGKILL to {pid} on {scene.host}"
