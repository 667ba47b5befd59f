"""Roll calls: what a worker says of itself in a file, whether it gets in or not.

A worker that can't reach the broker has no other way to say why. One file a worker in
``RUN/workers/``, replaced as a whole at each step; the launcher and `doctor` read them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from trap_hpc.files import write_whole
from trap_hpc.jsonrecords import parse_record

SCHEMA_VERSION = 1

EXIT_DONE = 0
"""Also of a worker that came too late: its run has ended, there is nothing to do."""
EXIT_UNREACHABLE = 69
"""EX_UNAVAILABLE of sysexits.h: no address of the broker answered."""
EXIT_OTHER_CODE = 78
"""EX_CONFIG of sysexits.h: the worker's code is not the run's."""


@dataclass(frozen=True, slots=True)
class Try:
    """One address that was dialled, and why it did not answer (empty: it did)."""

    address: str
    error: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RollCall:
    """One worker, as far as it has come."""

    state: str
    """``starting``, ``refused`` (other code), ``late`` (no lease), ``unreachable``,
    ``failed`` (anything else), ``connected`` or ``left``."""
    job: str
    """The scheduler's id: ``12_3`` for an array task."""
    node: str
    pid: int
    epoch: int
    python: str
    """The interpreter's path."""
    identity: str
    """Of the code on the worker."""
    clock_s: float
    """The node's wall clock, seconds since 1970."""
    cores: int
    """That the worker may use."""
    memory_bytes: int
    """That the job was given; 0 if nobody says."""
    ends_s: float | None = None
    """When the scheduler will end the job, seconds since 1970, if it says so."""
    expected: str = ""
    """The run's identity, if the worker's is another."""
    tries: tuple[Try, ...] = ()
    address: str = ""
    """Which one answered."""
    encrypted: bool = False
    message: str = ""
    """What went wrong, in a sentence, and what to do."""


def roll_call_name(job: str, node: str, pid: int) -> str:
    """Name of a worker's file."""
    return f"{job}-{node}-{pid}.json"


def write_roll_call(folder: Path, call: RollCall) -> None:
    """Write or replace the worker's file in ``folder``.

    Raises
    ------
    StorageError
        It can't be written.
    """
    record = {"schema_version": SCHEMA_VERSION, **asdict(call)}
    path = folder / roll_call_name(call.job, call.node, call.pid)
    write_whole(path, json.dumps(record).encode(), lasting=False)


def read_roll_calls(folder: Path, epoch: int) -> Sequence[RollCall]:
    """Return what all workers of session ``epoch`` say, by the names of their files.

    A file that can't be read is left out: its worker writes another.
    """
    calls = (_read(path) for path in sorted(folder.glob("*.json")))
    return [call for call in calls if call is not None and call.epoch == epoch]


def _read(path: Path) -> RollCall | None:
    try:
        return parse_record(RollCall, path.read_bytes())
    except (OSError, ValueError):
        return None
