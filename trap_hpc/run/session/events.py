"""What the threads of a session tell the driver's thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from trap_hpc.engines.deadline import TimeLeft


@dataclass(frozen=True, slots=True)
class Say:
    """Something that the user should know."""

    text: str


@dataclass(frozen=True, slots=True)
class Fatal:
    """The run can't go on."""

    text: str


@dataclass(frozen=True, slots=True)
class StopAsked:
    """Somebody wants the run to stop."""

    by: str


@dataclass(frozen=True, slots=True)
class Interrupted:
    """A signal came, and should have ended the run by now."""

    signal: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The scheduler says that these jobs have ended."""

    jobs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ends:
    """The scheduler says when it will end these jobs."""

    jobs: tuple[TimeLeft, ...]


@dataclass(frozen=True, slots=True)
class Suspended:
    """The launcher stood still for so long that its workers have given it up."""

    seconds: float


Event = Say | Fatal | StopAsked | Interrupted | Ended | Ends | Suspended
Post = Callable[[Event], None]
