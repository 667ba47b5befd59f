"""Beside any command: removing what launchers left that died on this very machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from trap_hpc.cli.output import echo

OF_THEIR_OWN = ("run", "resume", "plan", "demo", "stop", "reap")
"""Commands that see to it themselves, or may become another program."""
HELP = ("-h", "--help", "--version")
LOOK_S = 0.5
"""So long a command may take longer because there are very many runs to look at."""


@contextmanager
def clearing_up(words: Sequence[str]) -> Iterator[None]:
    """Look for leftovers while a command works, and say what was removed after it."""
    if not words or words[0] in OF_THEIR_OWN or any(w in HELP for w in words):
        yield
        return
    search = _Search()
    search.start()
    yield
    search.finish()


class _Search(threading.Thread):
    """Finds leftovers and removes them. It holds up nobody who does not wait for it."""

    def __init__(self) -> None:
        super().__init__(name="leftovers", daemon=True)
        self._found = threading.Event()
        self._told: list[str] = []

    def run(self) -> None:
        from trap_hpc.run.registry import known_runs
        from trap_hpc.run.session.record import may_be_up

        runs = {name: path for name, path in known_runs().items() if may_be_up(path)}
        if not runs:
            return
        from trap_hpc.run.session.earlier import reap_quietly
        from trap_hpc.run.session.reap import leftovers

        dead = [each for each in leftovers(runs) if each.alive is False]
        if dead:
            self._found.set()
            reap_quietly(dead, self._told.append)

    def finish(self) -> None:
        """Wait for the end of what is being removed, and say what was."""
        self.join(LOOK_S)
        if self._found.is_set():
            self.join()
        for line in self._told:
            echo(f"trap-hpc: {line}", err=True)
