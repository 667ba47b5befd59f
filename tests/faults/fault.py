"""What a fault is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.faults.scene import Scene


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """What was hit by a fault that does not come about at once.

    Both are asked after the run, and return seconds since 1970, or None: never.
    """

    words: str
    struck: Callable[[], float | None]
    """When it came about."""
    recovered: Callable[[], float | None] | None = None
    """When it was over, where that is not seen by batches and workers."""


Inject = Callable[["Scene"], Hit | str]
"""Breaks something, and says what; empty: there was nothing to break."""
Need = Callable[["Scene"], None]
"""Prepares what a run stands on, before it begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One way to break something. What is to be put right again, `inject` sees to."""

    name: str
    words: str
    """For the table in the documentation."""
    inject: Inject
    needs: tuple[Need, ...] = ()
    gap_s: tuple[float, float] = (1.0, 3.0)
    """How long after the last one, at least and at most."""
    from_start: bool = False
    """It may come before any work is done."""
    stops: str = ""
    """What the launcher must say when it stops, as a pattern: then `resume` is what
    the user is to do. Empty: the run goes on by itself."""
    may_stop: str = ""
    """What the launcher may say when it stops, as a pattern."""
    kills_launcher: bool = False
    """The launcher says nothing, and `resume` is what the user is to do."""
    refuses: bool = False
    """An image is refused, by rights: exit code 3."""
    missing: Callable[[], str] = str
    """Says why it can't be tried on this machine; empty: it can."""
    in_storm: bool = True

    @property
    def ends_launcher(self) -> bool:
        return self.kills_launcher or bool(self.stops)


def fault(name: str, words: str, **settings: object) -> Callable[[Inject], Fault]:
    """Make a fault of the function that injects it."""

    def made(inject: Inject) -> Fault:
        return Fault(name=name, words=words, inject=inject, **settings)  # type: ignore[arg-type]

    return made
