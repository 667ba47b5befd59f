"""The lease: a worker goes on only while it sees that its launcher is alive.

The launcher counts up, in a file of the run directory and through the broker. A worker
must see the count *change*, by its own monotonic clock: no clock of another host is
trusted, and a file that stands still is a dead launcher.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from trap_hpc.files import write_whole


@dataclass(frozen=True, slots=True)
class Beat:
    """One renewal: the session's epoch, and how often it has been renewed."""

    epoch: int
    count: int


def write_beat(path: Path, beat: Beat) -> None:
    """Renew the lease file.

    Raises
    ------
    StorageError
        It can't be written.
    """
    write_whole(path, f"{beat.epoch} {beat.count}\n".encode(), lasting=False)


def read_beat(path: Path) -> Beat | None:
    """Return what the lease file says; None if there is none that can be read."""
    try:
        epoch, count = path.read_text().split()
        return Beat(int(epoch), int(count))
    except (OSError, ValueError):
        return None


class LeaseWatch:
    """Remembers when the lease was last seen to change. Safe for several threads."""

    def __init__(self, lease_s: float, clock: Callable[[], float]) -> None:
        """``clock`` is monotonic, in seconds."""
        self._lease_s = lease_s
        self._clock = clock
        self._latest: dict[str, Beat] = {}
        self._changed_s = clock()

    def see(self, source: str, beat: Beat | None) -> None:
        """Take note of what was read from ``source``: the file, the broker."""
        if beat is not None and self._latest.get(source) != beat:
            self._latest[source] = beat
            self._changed_s = self._clock()

    @property
    def left_s(self) -> float:
        """How long the lease still holds; negative if it has run out."""
        return self._changed_s + self._lease_s - self._clock()
