"""Measurement files that are not as they were written."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.cluster.processes import ClusterError, wait_until
from tests.faults.fault import fault
from tests.faults.scene import LEASE_S, Scene

AT_A_TIME = 3
SUSPENDED_S = 0.5 * LEASE_S


@fault(
    "file damaged",
    "a measurement file is cut short, has bits flipped or is gone before it is read",
    gap_s=(0.5, 2.0),
)
def damage(scene: Scene) -> str:
    """Keep the launcher from reading what is written until it is damaged."""
    command = scene.launch.command
    if command.over:
        return ""
    command.send(signal.SIGSTOP)
    try:
        before = set(measurement_files(scene))
        wait_until(lambda: set(measurement_files(scene)) - before, "new", SUSPENDED_S)
        new = sorted(set(measurement_files(scene)) - before)
        return damaged(scene, scene.chance.choice(new))
    except ClusterError:
        return ""
    finally:
        command.send(signal.SIGCONT)


@fault(
    "file damaged, launcher dead",
    "SIGKILL of the launcher, and three such files before the `resume`",
    gap_s=(2.0, 10.0),
    kills_launcher=True,
)
def damage_of_the_dead(scene: Scene) -> str:
    files = measurement_files(scene)
    if scene.launch.command.over or len(files) < AT_A_TIME:
        return ""
    scene.launch.command.send(signal.SIGKILL)
    chosen = scene.chance.sample(files, AT_A_TIME)
    return "; ".join(damaged(scene, path) for path in chosen)


def measurement_files(scene: Scene) -> list[Path]:
    paths = scene.paths.measurements.glob("*.h5")
    return sorted(path for path in paths if not path.name.startswith("."))


def damaged(scene: Scene, path: Path) -> str:
    """Damage a file in some way, and say so."""
    with scene.watcher.touching(path):
        size = path.stat().st_size
        match scene.chance.choice(("cut", "flipped", "gone")):
            case "cut":
                os.truncate(path, scene.chance.randrange(size))
                return f"{path.name} cut"
            case "flipped":
                flip(path, scene.chance.randrange(size))
                return f"{path.name} flipped"
            case _:
                path.unlink()
                return f"{path.name} gone"


def flip(path: Path, position: int) -> None:
    with path.open("r+b") as stream:
        stream.seek(position)
        (byte,) = stream.read(1)
        stream.seek(position)
        stream.write(bytes([byte ^ 0x55]))
