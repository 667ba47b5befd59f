"""Watching a run that another process works on, from anywhere that sees its files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from trap_hpc.engines.lease import read_beat
from trap_hpc.paths import RunPaths
from trap_hpc.run.log import BEGINNING, INTERRUPTED, STOPPED
from trap_hpc.run.overview import Overview, overview
from trap_hpc.run.progress import Progress
from trap_hpc.run.session.logs import last_lines
from trap_hpc.run.session.waiting import WaitingLauncher
from trap_hpc.run.session.words import count
from trap_hpc.run.tally import Watch

LOOK_S = 0.5
SURE_AFTER_S = 3.0
"""A launcher that has just been started says nothing yet."""
SILENT_S = 300.0
"""A launcher whose process can't be seen from here is given up after so long."""
ASK_S = 60.0
"""So seldom the scheduler is asked about a launcher that waits as a job."""
LOG_LINES = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How it ended, as far as that can be seen."""

    seen: Overview
    finished: bool
    interrupted: bool = False
    why: str = ""
    """What the launcher said last, if it did not finish."""

    @property
    def jobs(self) -> str:
        """What became of the jobs; empty if there were none, or nobody knows yet."""
        session = self.seen.session
        if session is None or session.up:
            return ""
        left = "an unknown number" if session.left is None else str(session.left)
        submitted = f"{count(session.jobs, 'job')} submitted"
        return f"{submitted}, {left} left (asked {session.asked})"


class Follower:
    """Follows one run to its end."""

    def __init__(
        self,
        directory: Path,
        watch: Watch,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        waits: Callable[[WaitingLauncher], bool] = lambda _: True,
    ) -> None:
        self._directory = directory
        self._watch = watch
        self._clock = clock
        self._sleep = sleep
        self._waits = waits
        self._ask_at_s = clock() + ASK_S
        self._shown: Progress | None = None
        self._gone_since_s: float | None = None
        self._signs: object = None
        self._signs_since_s = clock()

    def follow(self) -> Ending:
        """Watch until the run has ended, well or not."""
        while True:
            seen = overview(self._directory)
            if self._at_work(seen):
                self._gone_since_s = None
                self._show(seen.progress)
            elif self._gone_for_s() >= (0 if seen.finished else SURE_AFTER_S):
                return _ending(seen)
            self._sleep(LOOK_S)

    def _show(self, progress: Progress | None) -> None:
        if progress is not None and progress != self._shown:
            self._watch(progress)
            self._shown = progress

    def _gone_for_s(self) -> float:
        if self._gone_since_s is None:
            self._gone_since_s = self._clock()
        return self._clock() - self._gone_since_s

    def _at_work(self, seen: Overview) -> bool:
        """Whether somebody works on the run, or still ends its jobs."""
        if seen.waiting is not None:
            return self._will_begin(seen.waiting)
        up = seen.session is not None and seen.session.up
        if seen.launcher is None or (seen.finished and not up):
            return False
        return self._moves(seen) if seen.alive is None else seen.alive

    def _will_begin(self, waiting: WaitingLauncher) -> bool:
        """Ask seldom whether the job of a launcher is still there."""
        if self._clock() < self._ask_at_s:
            return True
        self._ask_at_s = self._clock() + ASK_S
        return self._waits(waiting)

    def _moves(self, seen: Overview) -> bool:
        """Whether the files of a launcher that can't be seen from here change."""
        beat = read_beat(RunPaths(self._directory).lease)
        signs = (beat, seen.written, seen.session)
        if signs != self._signs:
            self._signs, self._signs_since_s = signs, self._clock()
        up = seen.session is not None and seen.session.up
        patience_s = seen.session.lease_s if seen.session and up else SILENT_S
        return self._clock() - self._signs_since_s < patience_s


def _ending(seen: Overview) -> Ending:
    if seen.finished:
        return Ending(seen=seen, finished=True)
    interrupted, why = _last_words(RunPaths(seen.directory).log)
    return Ending(seen=seen, finished=False, interrupted=interrupted, why=why)


def _last_words(log: Path) -> tuple[bool, str]:
    """Return whether the latest session was interrupted, and what it said."""
    for line in reversed(last_lines(log, LOG_LINES)):
        text = line.partition(" ")[2]
        if text.startswith(BEGINNING):
            break
        if text.startswith((STOPPED, INTERRUPTED)):
            return text.startswith(INTERRUPTED), text.partition(": ")[2]
    return False, ""
