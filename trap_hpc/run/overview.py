"""What a run says of itself, for whoever looks from outside; nobody is asked."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from trap_hpc.alive import Launcher, still_runs
from trap_hpc.errors import RunError
from trap_hpc.jsonrecords import record_from
from trap_hpc.paths import RunPaths
from trap_hpc.run.progress import Progress
from trap_hpc.run.session.reap import launcher_of
from trap_hpc.run.session.record import SessionRecord, read_session
from trap_hpc.run.session.waiting import WaitingLauncher, waiting_launcher

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """How far a run is, and who works on it."""

    directory: Path
    progress: Progress | None
    """None if it has not said anything yet."""
    written: str
    """When it did; ISO 8601, UTC, by the launcher's clock."""
    launcher: Launcher | None
    alive: bool | None
    """Whether the launcher is there; None: it can't be told from here."""
    session: SessionRecord | None
    """On a cluster: what was asked of the scheduler."""
    waiting: WaitingLauncher | None = None
    """A launcher to come, which is a batch job itself."""

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do."""
        return self.progress is not None and self.progress.phase == "done"

    @property
    def stopped(self) -> bool:
        """Whether something is left to do, and nobody does it."""
        return self.progress is not None and self.progress.phase == "stopped"


def overview(directory: Path) -> Overview:
    """Read what the run in ``directory`` last said of itself."""
    status = _status(RunPaths(directory).status)
    session = _session(directory)
    launcher = launcher_of(session) if session and session.up else None
    if launcher is None and "launcher" in status:
        launcher = _made(Launcher, status["launcher"])
    alive = still_runs(launcher) if launcher else None
    progress = _made(Progress, status)
    if progress and alive is False and progress.phase != "done":
        # A launcher that was killed could not say so.
        progress = replace(progress, phase="stopped", left_s=None)
    return Overview(
        directory=directory,
        progress=progress,
        written=str(status.get("written", "")),
        launcher=launcher,
        alive=alive,
        session=session,
        waiting=waiting_launcher(directory),
    )


def failed_jobs(directory: Path) -> tuple[str, ...]:
    """Return the jobs whose logs may say why something failed."""
    seen = overview(directory)
    staff = seen.progress.staff if seen.progress else None
    noted = seen.session.failed if seen.session else ()
    return tuple(dict.fromkeys([*noted, *(staff.failed if staff else ())]))


def _status(path: Path) -> dict[str, Any]:
    try:
        status = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return status if isinstance(status, dict) else {}


def _session(directory: Path) -> SessionRecord | None:
    try:
        return read_session(directory)
    except RunError:
        return None


def _made(kind: type[T], values: object) -> T | None:
    """Make a record of what it knows of these; None if that can't be."""
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    known = values.items() if isinstance(values, dict) else ()
    try:
        return record_from(kind, {name: x for name, x in known if name in names})
    except ValueError:
        return None
