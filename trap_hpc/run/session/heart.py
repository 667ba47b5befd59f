"""The launcher's side of the lease: it counts up, in a file and through the broker.

Each way has a thread of its own that does nothing else, so that neither a slow disk nor
a slow network nor association makes workers believe that their launcher is dead.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from trap_hpc.engines.lease import Beat, write_beat
from trap_hpc.errors import RunError
from trap_hpc.run.session.events import Post, Say, Suspended
from trap_hpc.run.session.threads import Repeating

FAST_BEAT_S = 1.0
SERIOUS = 0.25
"""The part of a lease that may pass without a renewal before it is worth a word."""
FAST_FOR_S = 60.0
"""A worker begins once it has seen the lease change: the first ones need not wait."""


def boot_clock() -> float:
    """Count seconds; those too that the machine sleeps, where the system can."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Heart:
    """Renews the lease of one session."""

    def __init__(
        self,
        path: Path,
        epoch: int,
        *,
        lease_s: float,
        beat_s: float,
        post: Post,
        clock: Callable[[], float] = boot_clock,
    ) -> None:
        self._path = path
        self._epoch = epoch
        self._lease_s = lease_s
        self._beat_s = beat_s
        self._post = post
        self._clock = clock
        self._fast_until_s = clock() + FAST_FOR_S
        self._counts = {"file": 0, "broker": 0}
        self._ailing_since_s: dict[str, float] = {}
        self._told: set[str] = set()
        self._renewed_s = clock()
        self._lock = threading.Lock()
        self._threads: list[Repeating] = []
        self.missing = True
        """Whether workers are still to come."""

    def start(self) -> None:
        """Write the lease file and keep it new.

        Raises
        ------
        StorageError
            It can't be written.
        """
        write_beat(self._path, self._next("file"))
        self._begin("the lease file", self.renew_file)

    def start_broker(self, renew: Callable[[Beat], None]) -> None:
        """Renew the lease through the broker, too."""
        self._fast_until_s = self._clock() + FAST_FOR_S
        self._begin("the lease through the broker", lambda: self.renew_broker(renew))

    def stop(self) -> None:
        """End the lease."""
        for thread in self._threads:
            thread.stop(timeout_s=1)  # it may hang in a call to a broker that is gone
        self._path.unlink(missing_ok=True)

    def renew_file(self) -> float:
        """Renew the file once; return when to do so again."""
        return self._renew("file", lambda beat: write_beat(self._path, beat))

    def renew_broker(self, renew: Callable[[Beat], None]) -> float:
        """Renew through the broker once; return when to do so again."""
        return self._renew("broker", renew)

    def _begin(self, name: str, work: Callable[[], float]) -> None:
        thread = Repeating(name, work, self._post)
        self._threads.append(thread)
        thread.start()

    def _next(self, way: str) -> Beat:
        self._counts[way] += 1
        return Beat(self._epoch, self._counts[way])

    def _renew(self, way: str, write: Callable[[Beat], None]) -> float:
        try:
            write(self._next(way))
            self._renewed()
            self._ailing_since_s.pop(way, None)
            self._told.discard(way)
        except (RunError, OSError) as error:
            self._ail(way, error)
        fast = self.missing and self._clock() < self._fast_until_s
        return min(FAST_BEAT_S, self._beat_s) if fast else self._beat_s

    def _renewed(self) -> None:
        """Notice if nothing was heard of us for too long, by any way."""
        with self._lock:
            gap_s = self._clock() - self._renewed_s
            self._renewed_s = self._clock()
        if gap_s > self._lease_s:
            self._post(Suspended(gap_s))

    def _ail(self, way: str, error: Exception) -> None:
        """Say it if it lasts: a broker that died is replaced within seconds."""
        since_s = self._ailing_since_s.setdefault(way, self._clock())
        lasts = self._clock() - since_s >= self._lease_s * SERIOUS
        if lasts and way not in self._told:
            self._told.add(way)
            self._post(Say(f"can't renew the lease by {way}, trying on: {error}"))
