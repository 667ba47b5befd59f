"""What workers and launcher tell each other, besides the tasks themselves.

Plain records, sent as JSON. Several reports travel in one message, in their order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from trap_hpc.engines.deadline import TimeLeft
from trap_hpc.engines.lease import Beat
from trap_hpc.jsonrecords import record_from
from trap_hpc.pipeline.tasks import Receipt

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """The worker lives: its first report, then one every few seconds."""

    worker: str
    job: str
    node: str
    slots: int
    """0: it takes no more."""
    address: str
    held: tuple[str, ...] = ()
    """Ids of the tasks that it has, begun or not, by all it has reported so far."""
    left_s: float | None = None
    """How long its job may still run, if it knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The worker has taken the task out of the queue."""

    worker: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The task did its work."""

    worker: str
    id: str
    receipt: Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """The task raised."""

    worker: str
    id: str
    error: str
    fatal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Killed:
    """The process that worked on the task died; the worker lives on."""

    worker: str
    id: str
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Overran:
    """The task took longer than it may; the process that worked on it was killed."""

    worker: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """The worker will not do the task."""

    worker: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """The worker ends, and with it whatever it still had."""

    worker: str


Report = Here | Taken | Done | Raised | Killed | Overran | Returned | Left


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The launcher lives."""

    beat: Beat


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """All workers are to end at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """Tasks wait, and this worker takes none though it could: it is to start anew."""

    worker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """The scheduler will end these jobs, whose workers don't know when."""

    jobs: tuple[TimeLeft, ...]


Announcement = Lease | Stop | Restart | Ends

_REPORTS: Mapping[str, type[Report]] = {
    kind.__name__: kind
    for kind in (Here, Taken, Done, Raised, Killed, Overran, Returned, Left)
}
_ANNOUNCEMENTS: Mapping[str, type[Announcement]] = {
    kind.__name__: kind for kind in (Lease, Stop, Restart, Ends)
}


def to_record(message: Report | Announcement) -> dict[str, Any]:
    """Return what is sent."""
    return {"kind": type(message).__name__, **asdict(message)}


def reports_from(body: object) -> Sequence[Report]:
    """Read a message of reports, which may come from anybody.

    Raises
    ------
    ValueError
        It is none.
    """
    try:
        return [_of_kind(_REPORTS, record) for record in body]  # type: ignore[attr-defined]
    except (TypeError, ValueError) as error:
        raise ValueError(f"not reports: {error}") from None


def announcement_from(body: object) -> Announcement:
    """Read an announcement.

    Raises
    ------
    ValueError
        It is none.
    """
    try:
        return _of_kind(_ANNOUNCEMENTS, body)
    except (TypeError, ValueError) as error:
        raise ValueError(f"not an announcement: {error}") from None


def _of_kind(kinds: Mapping[str, type[T]], record: object) -> T:
    if not isinstance(record, dict) or record.get("kind") not in kinds:
        raise ValueError(f"{str(record)[:50]!r} is none of {', '.join(kinds)}")
    fields = {name: value for name, value in record.items() if name != "kind"}
    return record_from(kinds[record["kind"]], fields)
