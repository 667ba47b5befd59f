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


def read_beat(path: Path, since_epoch: int = 0) -> Beat | None:
    """Return what the lease file says; None if there is none that can be read.

    A beat of an earlier epoch than ``since_epoch`` is none: a shared file system may
    still show it.
    """
    try:
        epoch, count = map(int, path.read_text().split())
    except (OSError, ValueError):
        return None
    return Beat(epoch, count) if epoch >= since_epoch else None


class LeaseWatch:
    """Remembers when the lease was last seen to change. Safe for several threads.

    A lease that has run out is over for good: a worker that was suspended may find a
    new count when it wakes up, but its tasks have been given to others.
    """

    def __init__(self, lease_s: float, clock: Callable[[], float]) -> None:
        """``clock`` is monotonic, in seconds."""
        self.lease_s = lease_s
        self._clock = clock
        self._latest: dict[str, Beat] = {}
        self._seen_s = clock()
        self.renewed = False
        """Whether it was ever seen to change: there is somebody who counts."""

    def see(self, source: str, beat: Beat | None) -> None:
        """Take note of what was read from ``source``: the file, the broker."""
        before = self._latest.get(source)
        if beat is None or beat == before or self.left_s <= 0:
            return
        self._latest[source] = beat
        self._seen_s = self._clock()
        self.renewed = self.renewed or before is not None

    def begin_anew(self) -> None:
        """Count from now: nobody has looked for a while, and nothing was at stake.

        A worker that is still importing what it needs, which may take minutes on a slow
        file system, has no task that could have been given to others.
        """
        self._seen_s = self._clock()

    @property
    def seen_s(self) -> float:
        """How long ago it was last seen to change."""
        return self._clock() - self._seen_s

    @property
    def left_s(self) -> float:
        """How long the lease still holds; not above 0 if it has run out."""
        return self.lease_s - self.seen_s
