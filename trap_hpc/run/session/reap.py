"""Removing what dead launchers left: their jobs, their brokers, their credentials.

A launcher is dead if its process is gone from the very machine that we are on, or if
its lease has stood still for a full lease while we watched. Jobs of another cluster are
not ours to judge, and what lives is never touched.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from trap_hpc.alive import Launcher, on_this_machine, still_runs
from trap_hpc.config.site import Site
from trap_hpc.engines.broker import Broker, read_broker
from trap_hpc.engines.lease import Beat, read_beat
from trap_hpc.errors import RunError
from trap_hpc.paths import RunPaths
from trap_hpc.run.owner import require_ours
from trap_hpc.run.session import words
from trap_hpc.run.session.record import SessionRecord, read_session
from trap_hpc.run.session.teardown import Report, SupersededError, Teardown
from trap_hpc.schedulers.base import Scheduler

LOOK_S = 1.0
GONE = "its launcher is gone"


class OfSite(Protocol):
    """A record of jobs."""

    @property
    def site(self) -> str:
        """Its name."""

    @property
    def scheduler(self) -> str:
        """That has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    """A session that ended without saying so, or that is still up."""

    directory: Path
    record: SessionRecord
    alive: bool | None
    """Whether its launcher is there; None: only its lease can tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaped:
    """What became of one of them."""

    run_id: str
    directory: Path
    verdict: str
    """``alive``, ``elsewhere`` (jobs of another cluster), ``unknown`` (the scheduler
    could not be asked), ``changed`` (somebody else was quicker), ``dead`` (it would be
    removed) or ``removed``."""
    text: str
    """For people."""
    report: Report | None = None


def leftovers(runs: Mapping[str, Path]) -> list[Leftover]:
    """Return the sessions of these runs that are up, or were when they broke off."""
    found = []
    for directory in runs.values():
        try:
            record = read_session(directory)
        except RunError:
            continue  # written by another version, or damaged: nothing is known
        if record is not None and record.up:
            alive = still_runs(launcher_of(record))
            found.append(Leftover(directory=directory, record=record, alive=alive))
    return found


def launcher_of(record: SessionRecord) -> Launcher:
    """Return the process that launched a session."""
    return Launcher(
        host=record.host,
        machine=record.machine,
        pid=record.pid,
        began_s=record.launcher_began_s,
    )


@dataclass(slots=True, kw_only=True)
class Reaper:
    """Judges sessions and removes dead ones."""

    scheduler_of: Callable[[OfSite], Scheduler]
    remove_broker: Callable[[Path], object]
    """Remove what a private broker left in its folder on this host."""
    clear_broker: Callable[[Broker], None]
    """Remove what a session left on a broker of the user's."""
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    say: Callable[[str], None]
    remove_dead_folders: Callable[[], None] = lambda: None
    """Remove brokers' folders on this host that no process belongs to any more."""
    dry_run: bool = False

    def reap(self, found: Sequence[Leftover]) -> list[Reaped]:
        """Judge all of these, and remove what the dead ones left."""
        if not self.dry_run:
            self.remove_dead_folders()
        return [self._deal_with(each) for each in self._observe(found)]

    def _observe(self, found: Sequence[Leftover]) -> list[Leftover]:
        """Watch the leases of all whose launchers can't be seen, at the same time."""
        unsure = [each for each in found if each.alive is None]
        if not unsure:
            return list(found)
        longest_s = max(each.record.lease_s for each in unsure)
        names = words.some(each.record.run_id for each in unsure)
        self.say(f"watching for {longest_s:.0f} s whether anybody renews {names}")
        alive = self._renewed(unsure)
        return [
            replace(each, alive=each.directory in alive) if each in unsure else each
            for each in found
        ]

    def _renewed(self, unsure: Iterable[Leftover]) -> set[Path]:
        """Return those whose lease changes within a lease, by our own clock."""
        waiting = {each.directory: each for each in unsure}
        first = {directory: _beat(directory) for directory in waiting}
        began_s = self.clock()
        alive: set[Path] = set()
        while waiting:
            self.sleep(LOOK_S)
            passed_s = self.clock() - began_s  # before the look, not after
            for directory, each in list(waiting.items()):
                if _beat(directory) != first[directory]:
                    alive.add(directory)
                if directory in alive or passed_s > each.record.lease_s:
                    del waiting[directory]
        return alive

    def _deal_with(self, each: Leftover) -> Reaped:
        record = each.record
        verdict = partial(Reaped, run_id=record.run_id, directory=each.directory)
        if each.alive:
            text = f"lives: its launcher is process {record.pid} on {record.host}"
            return verdict(verdict="alive", text=text)
        try:
            require_ours(each.directory)  # who wrote the record names jobs to cancel
            self._check(each)
            scheduler = self.scheduler_of(record)
            if scheduler.cluster() != record.cluster:
                text = f"has jobs on {record.cluster}: run `trap-hpc reap` there"
                return verdict(verdict="elsewhere", text=text)
            if self.dry_run:
                return verdict(verdict="dead", text=self._would_remove(each, scheduler))
            report = self._teardown(each, scheduler)
        except SupersededError:
            return verdict(verdict="changed", text="has gone on or ended meanwhile")
        except RunError as error:
            return verdict(verdict="unknown", text=f"{GONE}, but {error}")
        verb = "removed" if report.left == 0 else "unknown"
        return verdict(verdict=verb, text=f"{GONE}; {report}", report=report)

    def _check(self, each: Leftover) -> None:
        """Make sure that nobody has ended the session or gone on with the run.

        It may take a minute until jobs have ended, and others reap, too.
        """
        if read_session(each.directory) != each.record:
            raise SupersededError

    def _teardown(self, each: Leftover, scheduler: Scheduler) -> Report:
        paths = RunPaths(each.directory)
        return Teardown(
            directory=each.directory,
            record=each.record,
            scheduler=scheduler,
            clock=self.clock,
            sleep=self.sleep,
            say=self.say,
            log=self.say,
            stop_broker=lambda: self._end_broker(each.record, paths.broker),
            credentials_last=True,
            end_lease=lambda: paths.lease.unlink(missing_ok=True),
            check=lambda: self._check(each),
        ).run(f"{GONE}; reaped")

    def _end_broker(self, record: SessionRecord, credentials: Path) -> None:
        """End a private broker of this host; take our things off one of the user's.

        A private one on another host is ended by its guard.
        """
        if record.broker_folder:
            if on_this_machine(launcher_of(record)):
                self.remove_broker(Path(record.broker_folder))
        elif credentials.exists():
            broker = read_broker(credentials)
            if not broker.private:
                self.clear_broker(broker)

    def _would_remove(self, each: Leftover, scheduler: Scheduler) -> str:
        jobs = [j for j in scheduler.jobs([each.record.run_id]) if j.state.left]
        number = words.count(len(jobs), "job")
        which = f": {words.left_text(jobs)}" if jobs else ""
        return f"{GONE}; {number} left (asked {scheduler.asked}){which}"


def real_reaper(say: Callable[[str], None], *, dry_run: bool = False) -> Reaper:
    """Return one that asks the schedulers of this host."""
    from trap_hpc.engines.redis_server import leftovers
    from trap_hpc.schedulers.known import make_scheduler

    def scheduler_of(record: OfSite) -> Scheduler:
        return make_scheduler(Site(name=record.site, scheduler=record.scheduler))

    return Reaper(
        scheduler_of=scheduler_of,
        remove_broker=leftovers.remove_leftovers,
        remove_dead_folders=leftovers.remove_dead_folders,
        clear_broker=_clear,
        clock=time.monotonic,
        sleep=time.sleep,
        say=say,
        dry_run=dry_run,
    )


def _beat(directory: Path) -> Beat | None:
    return read_beat(RunPaths(directory).lease)


def _clear(broker: Broker) -> None:
    from trap_hpc.engines.celery.engine import CeleryEngine  # heavy, and seldom needed

    engine = CeleryEngine(broker, address=broker.addresses[0])
    engine.start()
    engine.close()
