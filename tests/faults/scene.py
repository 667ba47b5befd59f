"""One run on the cluster, and all that is broken while it goes on."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psutil

from tests.cluster.launches import STEADY, Launch, fresh, settings
from tests.faults.fault import Fault, Need
from tests.faults.lab import Lab
from tests.faults.targets import host_of
from tests.faults.watcher import Watcher

T = TypeVar("T")
Note = Callable[[str], None]
LEASE_S = 10.0
SITE: dict[str, object] = {"lease_s": LEASE_S, "beat_s": 1.0, "poll_s": 5.0}
WORDS = ("--batch-size", "4", *settings(STEADY))


@dataclass(slots=True, kw_only=True)
class Injection:
    """One fault that was injected."""

    fault: Fault
    at_s: float
    """By the clock of the world."""
    hit: str
    resumed_s: float | None = None
    """When the run was resumed, if its launcher had ended."""


class Scene:
    """A run under faults. ``needs`` prepare what it stands on; `close` removes that."""

    def __init__(
        self, lab: Lab, chance: random.Random, needs: Sequence[Need], note: Note
    ) -> None:
        self.lab = lab
        self.slurm = lab.slurm
        self.chance = chance
        self.note = note
        self.directory = fresh(lab.slurm, "run")
        self.host = "login"
        """Where the launcher is."""
        self.images: list[Path] = [lab.images]
        self.words: list[str | Path] = list(WORDS)
        self.site = dict(SITE)
        self.environment: dict[str, str] = {}
        self.stack = ExitStack()
        """What needs have brought up."""
        self.checks: list[Callable[[], list[str]]] = []
        """What needs say has been left behind."""
        self.injections: list[Injection] = []
        self.hurt: set[str] = set()
        """Names of hosts that are off, or cut off."""
        self._undo: list[tuple[float, Callable[[], object]]] = []
        for need in needs:
            need(self)
        self.watcher = Watcher(self.directory)

    # --- the run

    def begin(self) -> None:
        """Start the launcher."""
        first, *more = self.images
        self.launch = Launch(
            self.slurm,
            first,
            *more,
            *self.words,
            site=self.profile(),
            host=self.host,
            directory=self.directory,
            environment=self.environment,
        )
        self.watcher.start()

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
    def working(self) -> bool:
        return self.launch.working

    def close(self) -> None:
        """Remove what needs have brought up."""
        self.stack.close()

    # --- faults

    def inject(self, fault: Fault) -> bool:
        """Break something; False: there was nothing to break."""
        at_s = time.time()
        hit = fault.inject(self)
        if hit:
            self.note(f"{fault.name}: {hit}")
            self.injections.append(Injection(fault=fault, at_s=at_s, hit=hit))
        return bool(hit)

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
