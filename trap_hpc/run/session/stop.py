"""Making a run stop from outside, also one whose launcher can't be reached."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from trap_hpc.engines.lease import LeaseWatch, read_beat
from trap_hpc.errors import RunError
from trap_hpc.paths import RunPaths
from trap_hpc.run.overview import Overview, overview
from trap_hpc.run.session.reap import Leftover, Reaper
from trap_hpc.run.session.record import SessionRecord
from trap_hpc.run.session.stopping import PATIENCE_S, ask_to_stop, forget_request
from trap_hpc.run.session.waiting import WaitingLauncher, take_back
from trap_hpc.run.session.words import count

LOOK_S = 0.2


@dataclass(slots=True, kw_only=True)
class Stopper:
    """Ends one run, by its launcher or without it."""

    directory: Path
    reaper: Reaper
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    wait_s: float = PATIENCE_S

    def stop(self) -> str:
        """Stop the run, and say how that went.

        Raises
        ------
        RunError
            Nobody obeyed in time.
        StorageError
            The request can't be left in the run's directory.
        """
        seen = overview(self.directory)
        if seen.session is not None and seen.session.up:
            return self._stop_session(seen, seen.session)
        if seen.waiting is not None:
            return self._take_back(seen.waiting)
        if seen.finished:
            return "it has finished; there is nothing to stop"
        if seen.alive is False or seen.launcher is None:
            return "nothing works on it; `trap-hpc resume` would go on"
        return self._stop_local()

    def _stop_session(self, seen: Overview, record: SessionRecord) -> str:
        alive = seen.alive
        if alive is not False:
            ask_to_stop(RunPaths(self.directory))
            lease = LeaseWatch(record.lease_s, self.clock)
            if ended := self._wait(lambda: self._end_of(record), lease):
                return ended
            alive = lease.left_s > 0
        if alive:
            raise RunError(f"{record.run_id}: {self._nobody_obeyed()}")
        leftover = Leftover(directory=self.directory, record=record, alive=False)
        (reaped,) = self.reaper.reap([leftover])
        forget_request(RunPaths(self.directory))
        if reaped.verdict == "removed":
            return reaped.text
        raise RunError(f"{record.run_id}: {reaped.text}")

    def _take_back(self, waiting: WaitingLauncher) -> str:
        reaper = self.reaper
        return take_back(
            self.directory,
            waiting,
            reaper.scheduler_of(waiting),
            clock=self.clock,
            sleep=self.sleep,
            say=reaper.say,
        )

    def _stop_local(self) -> str:
        """Stop a run without jobs: its launcher takes the request away."""
        paths = RunPaths(self.directory)
        ask_to_stop(paths)

        def obeyed() -> str:
            gone = overview(self.directory).alive is False
            obeyed = gone or not paths.stop_request.exists()
            return "stopped; `trap-hpc resume` goes on from there" if obeyed else ""

        told = self._wait(obeyed)
        forget_request(paths)
        if not told:
            raise RunError(self._nobody_obeyed())
        return told

    def _nobody_obeyed(self) -> str:
        return (
            f"nobody has obeyed within {self.wait_s:.0f} s, though the launcher seems "
            "to live: it may be busy with its last step; ask again, or press Ctrl-C "
            "where it runs"
        )

    def _end_of(self, record: SessionRecord) -> str:
        """Return how the session ended; empty as long as it did not."""
        now = overview(self.directory).session
        if now is None or (now.up and now.epoch == record.epoch and not now.ended):
            return ""
        if now.epoch != record.epoch:
            return "that session has ended, and another one has begun since"
        left = "an unknown number" if now.left is None else str(now.left)
        submitted = f"{count(now.jobs, 'job')} submitted"
        told = f"stopped: {submitted}, {left} left (asked {now.asked})"
        return f"{told}; {now.remark}" if now.up else told

    def _wait(self, told: Callable[[], str], lease: LeaseWatch | None = None) -> str:
        """Wait for something to tell; empty if time is over, or the lease."""
        until_s = self.clock() + self.wait_s
        while not (text := told()):
            if lease is not None:
                lease.see("file", read_beat(RunPaths(self.directory).lease))
            if self.clock() >= until_s or (lease is not None and lease.left_s < 0):
                return ""
            self.sleep(LOOK_S)
        return text
