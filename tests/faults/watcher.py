"""What can be seen of a run from outside while it goes on."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from trap_hpc.paths import RunPaths

LOOK_S = 0.1
STATUS_S = 0.5


@dataclass(frozen=True, slots=True)
class Sent:
    """A batch: when it was first there, and what it is about."""

    at_s: float
    images: frozenset[str]


@dataclass(slots=True)
class Seen:
    """What was seen, by the clock of the world, which files have, too."""

    sent: dict[str, Sent] = field(default_factory=dict)
    """By the names of batches."""
    done: dict[str, float] = field(default_factory=dict)
    """When each measurement file was written first."""
    doubled: list[str] = field(default_factory=list)
    """Measurement files that were written a second time: one sending was done twice."""
    workers: list[tuple[float, int, int]] = field(default_factory=list)
    """When, how many workers there were, and how many were wanted."""


class Watcher:
    """Looks at a run directory several times a second, in a thread."""

    def __init__(self, paths: RunPaths) -> None:
        self._paths = paths
        self._files: dict[str, tuple[int, int]] = {}
        self._status_s = 0.0
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.seen = Seen()

    def start(self) -> None:
        self._thread.start()

    def so_far(self) -> Seen:
        """Return what has been seen by now, which does not change any more."""
        with self._lock:
            seen = self.seen
            return Seen(
                dict(seen.sent), dict(seen.done), [*seen.doubled], [*seen.workers]
            )

    def stop(self) -> Seen:
        """Look a last time, and return all that was seen."""
        self._over.set()
        self._thread.join()
        self._look()
        return self.seen

    @contextlib.contextmanager
    def touching(self, path: Path) -> Iterator[None]:
        """Let the harness itself change a file without wondering about it."""
        with self._lock:
            yield
            self._files.pop(path.name, None)

    def _run(self) -> None:
        while not self._over.wait(LOOK_S):
            self._look()

    def _look(self) -> None:
        with self._lock, contextlib.suppress(OSError):
            self._look_at_batches()
            self._look_at_files()
        if time.time() - self._status_s >= STATUS_S:
            self._status_s = time.time()
            self._look_at_status()

    def _look_at_batches(self) -> None:
        now_s = time.time()
        for name in os.listdir(self._paths.batches):
            batch = name.removesuffix(".json")
            if not name.startswith(".") and batch not in self.seen.sent:
                record = json.loads((self._paths.batches / name).read_bytes())
                images = frozenset(item["address"] for item in record["items"])
                self.seen.sent[batch] = Sent(now_s, images)

    def _look_at_files(self) -> None:
        with os.scandir(self._paths.measurements) as entries:
            for entry in entries:
                if not entry.name.startswith("."):
                    self._look_at_file(entry)

    def _look_at_file(self, entry: os.DirEntry[str]) -> None:
        with contextlib.suppress(FileNotFoundError):
            status = entry.stat()
            now = (entry.inode(), status.st_mtime_ns)
            if self._files.setdefault(entry.name, now) != now:
                self._files[entry.name] = now
                self.seen.doubled.append(entry.name)
            self.seen.done.setdefault(entry.name, status.st_mtime)

    def _look_at_status(self) -> None:
        with contextlib.suppress(OSError, ValueError, KeyError):
            status = json.loads(self._paths.status.read_bytes())
            if (staff := status["staff"]) is not None:
                numbers = (int(staff["workers"]), int(staff["wanted"]))
                self.seen.workers.append((time.time(), *numbers))
