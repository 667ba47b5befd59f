"""A shared file system on which files are seen late."""

from __future__ import annotations

import shutil

from tests.cluster.hosts import Host
from tests.cluster.launches import fresh
from tests.faults.fault import fault
from tests.faults.filesystems.mounts import Mount, what_is_missing
from tests.faults.scene import Scene

LATE_S = (1.0, 6.0)
FOR_S = (3.0, 8.0)


def late_files(scene: Scene) -> None:
    """Let the run be on a file system that each host mounts for itself."""
    slurm = scene.slurm
    folder, delays = fresh(slurm, "shared"), fresh(slurm, "delays")
    seen = fresh(slurm, "seen")
    for path in (folder, delays, seen):
        path.mkdir()
        shutil.chown(path, slurm.user.uid, slurm.user.gid)

    def mount(host: Host) -> None:
        made = Mount(host.pid, "late", folder, delays, host.name, seen)
        scene.stack.callback(made.end)

    for host in slurm.hosts.values():
        mount(host)
    scene.switched_on.append(mount)
    scene.folders["delays"] = delays
    scene.put_run(seen, really=folder)


@fault(
    "files seen late",
    "a host sees files of others 1-6 s late, for 3-8 s",
    needs=(late_files,),
    gap_s=(1.0, 3.0),
    missing=what_is_missing,
)
def delay(scene: Scene) -> str:
    host = scene.pick(list(scene.slurm.hosts))
    if host is None or not scene.mark(f"view of {host}"):
        return ""
    note = scene.folders["delays"] / host
    late_s, for_s = scene.chance.uniform(*LATE_S), scene.chance.uniform(*FOR_S)
    note.write_text(f"{late_s:.1f}")

    def restore() -> None:
        note.unlink()
        scene.unmark(f"view of {host}")

    scene.later(for_s, restore)
    return f"{host}, {late_s:.1f} s late for {for_s:.1f} s"
