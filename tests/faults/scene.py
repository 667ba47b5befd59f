"""One run on the cluster, and all that is broken while it goes on."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import psutil

from tests.cluster.hosts import Host
from tests.cluster.launches import Launch, fresh
from tests.faults.fault import Fault, Hit, Need
from tests.faults.lab import Lab
from tests.faults.recovery import is_over, recovery_s
from tests.faults.services import Service
from tests.faults.targets import host_of
from tests.faults.watcher import Seen, Watcher
from trap_hpc.paths import RunPaths

T = TypeVar("T")
Note = Callable[[str], None]
LEASE_S = 10.0
SITE: dict[str, object] = {"lease_s": LEASE_S, "beat_s": 1.0, "poll_s": 5.0}


@dataclass(slots=True, kw_only=True)
class Injection:
    """One fault that was injected."""

    fault: Fault
    at_s: float
    """By the clock of the world."""
    hit: Hit | None
    """If it does not come about at once."""
    resumed_s: float | None = None
    """When the run was resumed, if its launcher had ended."""

    @property
    def struck_s(self) -> float | None:
        """When it came about, if it did."""
        return self.hit.struck() if self.hit else self.at_s

    def took_s(self, seen: Seen) -> float | None:
        """Return how long the run took to recover, if that could be seen."""
        struck_s = self.struck_s
        assert struck_s is not None
        if self.hit is None or self.hit.recovered is None:
            return recovery_s(seen, struck_s, self.resumed_s)
        over_s = self.hit.recovered()
        return None if over_s is None else over_s - struck_s

    def is_over(self, seen: Seen) -> bool:
        """Whether the run, which still goes on, has recovered as far as can be seen."""
        if self.hit is not None:
            return True
        return is_over(seen, self.at_s, time.time(), self.resumed_s)


class Scene:
    """A run under faults: `prepare` brings up what it stands on, `close` removes it."""

    def __init__(self, lab: Lab, chance: random.Random, note: Note) -> None:
        self.lab = lab
        self.slurm = lab.slurm
        self.chance = chance
        self.note = note
        self.directory = fresh(lab.slurm, "run")
        self.paths = RunPaths(self.directory)
        """Of the run, as they are seen from outside."""
        self.host = "login"
        """Where the launcher is."""
        self.images: list[Path] = [lab.images]
        self.words: list[str | Path] = list(lab.words)
        self.site = dict(SITE)
        self.environment: dict[str, str] = {}
        self.stack = ExitStack()
        """What needs have brought up."""
        self.checks: list[Callable[[], list[str]]] = []
        """What needs say has been left behind."""
        self.services: dict[str, Service] = {}
        """By what they are for."""
        self.catalogues: list[str | Path] = [self.directory]
        """What is to be the same as the serial one."""
        self.cursed: list[Path] = []
        """Images that do harm, and nobody has been told yet."""
        self.refuses = False
        """Images are refused, by rights, whatever is injected."""
        self.wrong_clocks: list[str] = []
        """Of nodes, in words, that nobody has been told yet."""
        self.folders: dict[str, Path] = {}
        """By what is in them."""
        self.switched_on: list[Callable[[Host], None]] = []
        """What a host needs that has been off."""
        self.reference: Callable[[], Path] = lambda: lab.reference
        self.injections: list[Injection] = []
        self._marks: set[str] = set()
        self.times: defaultdict[str, list[float]] = defaultdict(list)
        """When something was done, for faults that must not come too often."""
        self._undo: list[tuple[float, Callable[[], object]]] = []
        self._launch: Launch | None = None
        self._watcher: Watcher | None = None

    def prepare(self, needs: Sequence[Need]) -> None:
        """Bring up what the run stands on."""
        for need in needs:
            need(self)
        self._watcher = Watcher(self.paths)

    # --- the run

    def begin(self) -> None:
        """Start the launcher."""
        first, *more = self.images
        self._launch = Launch(
            self.slurm,
            first,
            *more,
            *self.words,
            site=self.profile(),
            host=self.host,
            directory=self.directory,
            environment=self.environment,
        )
        self.launch.paths = self.paths
        self.watcher.start()

    def put_run(self, folder: Path, really: Path | None = None) -> None:
        """Let the run directory be elsewhere, which is ``really`` a folder here."""
        before, self.directory = self.directory, folder / self.directory.name
        self.catalogues[self.catalogues.index(before)] = self.directory
        outside = really / self.directory.name if really else None
        self.paths = RunPaths(outside or self.slurm.outside(self.directory))

    def profile(self) -> Path:
        return self.slurm.site("faults.toml", **self.site)

    def resume(self, host: str) -> None:
        """Do what the user is to do after a launcher's end."""
        self.host = host
        self.note(f"resume on {host}")
        for injection in self.injections:
            if injection.fault.ends_launcher and injection.resumed_s is None:
                injection.resumed_s = time.time()
        self.launch.resume(host=host, environment=self.environment)

    @property
    def begun(self) -> bool:
        return self._launch is not None

    @property
    def launch(self) -> Launch:
        assert self._launch is not None
        return self._launch

    @property
    def watcher(self) -> Watcher:
        assert self._watcher is not None
        return self._watcher

    @property
    def working(self) -> bool:
        return bool(self.watcher.seen.done)

    def ask_ledger(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the ledger of a run that nobody works on, wherever that may lie."""
        with closing(sqlite3.connect(":memory:")) as ledger:
            ledger.deserialize(self.paths.ledger.read_bytes())
            return ledger.execute(query).fetchall()

    def close(self) -> None:
        """Remove what needs have brought up."""
        if self.begun:
            self.watcher.stop()
        self.stack.close()

    # --- faults

    def inject(self, fault: Fault) -> bool:
        """Break something; False: there was nothing to break."""
        at_s = time.time()
        found = fault.inject(self)
        words, hit = (found, None) if isinstance(found, str) else (found.words, found)
        if words:
            self.note(f"{fault.name}: {words}")
            self.injections.append(Injection(fault=fault, at_s=at_s, hit=hit))
        return bool(words)

    def pick(self, things: Sequence[T]) -> T | None:
        return self.chance.choice(things) if things else None

    def send(self, process: psutil.Process | None, number: signal.Signals) -> str:
        """Send a signal, and say to whom; empty: there was nobody."""
        if process is None:
            return ""
        where = host_of(self.slurm, process)
        try:
            os.kill(process.pid, number)
        except ProcessLookupError:
            return ""
        return f"{number.name} to {process.pid} on {where}"

    def mark(self, thing: str) -> bool:
        """Note that something is broken; False: it is already."""
        fresh = thing not in self._marks
        self._marks.add(thing)
        return fresh

    def unmark(self, thing: str) -> None:
        """Note that it is whole again."""
        self._marks.discard(thing)

    def marked(self, thing: str) -> bool:
        return thing in self._marks

    # --- putting right again

    def later(self, seconds: float, undo: Callable[[], object]) -> None:
        """Let ``undo`` be called in so many seconds, or at the end of the run."""
        self._undo.append((time.monotonic() + seconds, undo))

    def put_right(self, *, all_of_it: bool = False) -> None:
        """Undo what is due."""
        now_s = time.monotonic()
        due = [each for each in self._undo if all_of_it or each[0] <= now_s]
        self._undo = [each for each in self._undo if each not in due]
        for _, undo in sorted(due, key=lambda each: each[0]):
            undo()

    @property
    def broken(self) -> bool:
        """Whether something is still to be put right."""
        return bool(self._undo)
