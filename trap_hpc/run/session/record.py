"""What was asked of a scheduler, and what became of it: ``session.json``.

It is written before anything is submitted and replaced at each step, so that whoever
comes after a launcher that died knows where to look and for what. The run's id is the
jobs' name: jobs that were submitted but not noted are found by it.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from trap_hpc.errors import RunError
from trap_hpc.files import write_whole
from trap_hpc.jsonrecords import parse_record
from trap_hpc.paths import RunPaths

SCHEMA_VERSION = 1
_ID = re.compile(r"[A-Za-z0-9][\w.+-]*", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRecord:
    """One session of a run."""

    run_id: str
    epoch: int
    up: bool
    """Something may be there to be removed."""
    site: str
    scheduler: str
    cluster: str
    """Jobs of another cluster are never judged."""
    host: str
    """Full name of the host where the launcher runs or ran."""
    pid: int
    launcher_began_s: float
    """When that process began, seconds since 1970: process ids are used again."""
    machine: str = ""
    """Which boot of which machine that was; empty: unknown."""
    lease_s: float
    began: str
    """ISO 8601, UTC."""
    submitting: bool = False
    """Jobs were submitted, or were about to be."""
    arrays: tuple[str, ...] = ()
    """Ids that the scheduler gave."""
    jobs: int = 0
    """How many jobs were submitted, array tasks counted one by one."""
    workers: int = 0
    """Worker processes wanted."""
    broker_folder: str = ""
    """The private broker's own folder, on ``host``."""
    ended: str = ""
    left: int | None = None
    """Jobs left at the end, by the scheduler's own answer; None: it gave none."""
    asked: str = ""
    """The command that answered."""
    remark: str = ""
    """How it ended, if not well."""
    failed: tuple[str, ...] = ()
    """Jobs whose logs may say why."""


def write_session(directory: Path, record: SessionRecord) -> None:
    """Replace the record of the run in ``directory``, durably.

    Raises
    ------
    StorageError
        It can't be written.
    """
    content = {"schema_version": SCHEMA_VERSION, **asdict(record)}
    write_whole(RunPaths(directory).session, json.dumps(content, indent=1).encode())


def may_be_up(directory: Path) -> bool:
    """Say cheaply whether `read_session` could say that a session is up."""
    try:
        return b'"up": true' in RunPaths(directory).session.read_bytes()
    except OSError:
        return False


def read_session(directory: Path) -> SessionRecord | None:
    """Return the record of the run's latest session; None if it never had one.

    Raises
    ------
    RunError
        It can't be read.
    """
    path = RunPaths(directory).session
    try:
        record = parse_record(SessionRecord, path.read_bytes())
        _require_plain(record.run_id, *record.arrays)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise RunError(f"{path} can't be read: {error}") from None
    return record


def _require_plain(*ids: str) -> None:
    """Make sure that a command of the scheduler takes these for nothing but ids."""
    for each in ids:
        if not _ID.fullmatch(each):
            raise ValueError(f"{each!r} is no id of a run or a job")


def require_unchanged(directory: Path, record: SessionRecord) -> None:
    """Make sure that nobody has reaped a session while its launcher was suspended.

    Raises
    ------
    RunError
        Its record is not ``record`` any more, or can't be read.
    """
    found = read_session(directory)
    if found != record:
        how = found.remark if found and found.remark else "it was ended from elsewhere"
        raise RunError(
            "this launcher stood still for longer than its lease, and was taken for "
            f"dead: {how}"
        )
