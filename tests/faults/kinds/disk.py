"""Full disks."""

from __future__ import annotations

from tests.cluster.disks import own_disk, roomy
from tests.faults.fault import fault
from tests.faults.kinds.broker import private
from tests.faults.scene import Scene


@fault(
    "broker's disk full",
    "`/tmp` of the launcher's host has no room for 3-10 s",
    needs=(private,),
    gap_s=(1.0, 5.0),
)
def fill_temporary(scene: Scene) -> str:
    host = scene.slurm.hosts[scene.host]
    if not scene.mark(f"disk of {host.name}"):
        return ""
    disk = own_disk(host)
    disk.fill()

    def restore() -> None:
        roomy(disk)
        scene.unmark(f"disk of {host.name}")

    scene.later(scene.chance.uniform(3, 10), restore)
    return f"{disk.folder} on {host.name}"


def small_disk(scene: Scene) -> None:
    """Let the run be on a disk that can be filled."""
    scene.put_run(scene.slurm.disk.folder)


@fault(
    "run's disk full",
    "the disk of the run directory has no room; `resume` when it has",
    needs=(small_disk,),
    gap_s=(1.0, 6.0),
    stops=r"No space left|disk is full",
)
def fill_run(scene: Scene) -> str:
    if scene.launch.command.over or not scene.mark("disk"):
        return ""
    disk = scene.slurm.disk
    disk.fill()

    def restore() -> None:
        disk.free()
        scene.unmark("disk")

    scene.later(60, restore)
    return str(disk.folder)
