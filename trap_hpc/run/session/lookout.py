"""Looking about once a second: requests to stop, roll calls of workers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass, field

from trap_hpc.paths import RunPaths
from trap_hpc.run.session import words
from trap_hpc.run.session.events import Post, Say, StopAsked
from trap_hpc.run.session.stopping import stop_asked
from trap_hpc.worker.rollcall import RollCall, read_roll_calls

LOOK_S = 1.0
SELDOM_S = 5.0
"""A folder of hundreds of files is not read each second for hours."""
EAGER_FOR_S = 60.0
SHARE = 10
"""Nor more than a tenth of the time, where that is slow."""
FAILURES = ("refused", "unreachable", "failed")
CAME = ("connected", "left")
OVER = (*FAILURES, "late", "left")


@dataclass(slots=True, kw_only=True)
class Lookout:
    """What can be seen without asking the scheduler."""

    paths: RunPaths
    epoch: int
    port: int
    """Of the broker."""
    post: Post
    clock: Callable[[], float]
    alarm: Callable[[], None] = lambda: None
    """The scheduler should be asked: some worker could not begin, or has left."""
    missing: bool = True
    """Whether workers are still to come."""
    failed: list[RollCall] = field(default_factory=list)
    """Workers that could not begin."""
    jobs_failed: set[str] = field(default_factory=set)
    """Jobs of those that could not begin."""
    came: set[str] = field(default_factory=set)
    """Jobs whose workers got in, though they may have left since."""
    _over: set[tuple[str, str, int]] = field(default_factory=set)
    _told: set[Hashable] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _read_s: float = float("-inf")
    _took_s: float = 0.0
    _news_s: float = float("-inf")

    def eager(self) -> None:
        """Look closely for a while: workers are to come."""
        self._news_s = self.clock()

    def look(self) -> float:
        """Look once and tell what is new; return how long to wait."""
        if by := stop_asked(self.paths):
            self.post(StopAsked(by))
        if self.missing and self._calls_due():
            self.call_the_roll()
        return LOOK_S

    def call_the_roll(self) -> None:
        """Read what workers say of themselves, and tell why some could not begin."""
        with self._lock:  # the driver may want to know, too
            self._call_the_roll()

    def _call_the_roll(self) -> None:
        began_s = self.clock()
        calls = read_roll_calls(self.paths.roll_calls, self.epoch)
        self._read_s = self.clock()
        self._took_s = self._read_s - began_s
        self.came.update(call.job for call in calls if call.state in CAME)
        new = [c for c in calls if c.state in OVER and _who(c) not in self._over]
        self._over.update(map(_who, new))
        failures = [call for call in new if call.state in FAILURES]
        self.failed += failures
        self.jobs_failed.update(call.job for call in failures)
        for kind in words.groups(failures, words.call_key):
            self._tell(kind)
        if new:
            self._news_s = self.clock()
            self.alarm()

    def told_by_themselves(self) -> Collection[str]:
        """Return the jobs of workers that have said why they could not begin."""
        self.call_the_roll()  # a scheduler is sometimes quicker than we look
        return self.jobs_failed

    def reasons(self) -> list[str]:
        """Return why workers could not begin, each reason once."""
        kinds = words.groups(self.failed, words.call_key)
        return [words.calls_text(kind, self.port) for kind in kinds]

    def _calls_due(self) -> bool:
        eager = self.clock() - self._news_s < EAGER_FOR_S
        pause_s = max(0.0 if eager else SELDOM_S, SHARE * self._took_s)
        return self.clock() - self._read_s >= pause_s

    def _tell(self, calls: list[RollCall]) -> None:
        key = words.call_key(calls[0])
        if key not in self._told:
            self.post(Say(words.calls_text(calls, self.port)))
        self._told.add(key)


def _who(call: RollCall) -> tuple[str, str, int]:
    return call.job, call.node, call.pid
