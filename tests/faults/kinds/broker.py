"""Faults of the private broker."""

from __future__ import annotations

import signal

from tests.faults.fault import fault
from tests.faults.scene import Scene
from tests.faults.targets import named


def private(scene: Scene) -> None:
    """Let the run have a broker of its own, as it has unless it is told otherwise."""


@fault(
    "broker killed", "SIGKILL of the private broker", needs=(private,), gap_s=(4.0, 8.0)
)
def kill(scene: Scene) -> str:
    host = scene.slurm.hosts[scene.host]
    servers = named(host, "redis-server", scene.slurm.user.uid)
    return scene.send(scene.pick(servers), signal.SIGKILL)
