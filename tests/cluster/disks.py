"""Disks of a cluster that are full, and are freed again."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tests.cluster.hosts import Host
from tests.cluster.processes import Command

NAME = "small-disk"
SIZE_MB = 48
REST_S = 0.02
"""What somebody else frees is taken within this."""


@dataclass
class Disk:
    """A file system of limited size, at the same place on all hosts that share it."""

    folder: Path
    host: Host
    """By which it is reached from outside."""
    _filler: Command | None = field(default=None, init=False)

    def fill(self) -> None:
        """Leave no room on it, and take what others free, until `free`."""
        full = self.folder / "full"
        loop = (
            f"while :; do cat /dev/zero >> {self.folder}/ballast; touch {full}; "
            f"sleep {REST_S}; done"
        )
        self._filler = self.host.start(["sh", "-c", loop])
        self.host.run(["sh", "-c", f"until [ -e {full} ]; do sleep {REST_S}; done"])

    def free(self) -> None:
        """Make room again."""
        if self._filler is not None:
            self._filler.end()
            self._filler = None
        self.host.run(["rm", "-f", self.folder / "ballast", self.folder / "full"])

    def tidy(self) -> None:
        """Leave nothing on it."""
        self.free()
        self.host.run(["sh", "-c", f"rm -rf {self.folder}/*"])


def own_disk(host: Host, folder: str = "/tmp") -> Disk:
    """Return a host's own disk, which ends soon beyond what is on it: see `roomy`."""
    used_kb = host.run(["df", "--output=used", folder]).out.split()[1]
    host.run(["mount", "-o", f"remount,size={int(used_kb) + 2048}k", folder])
    return Disk(Path(folder), host)


def roomy(disk: Disk) -> None:
    """Let a host's own disk be as large as ever."""
    disk.free()
    disk.host.run(["mount", "-o", "remount,size=50%", str(disk.folder)])
