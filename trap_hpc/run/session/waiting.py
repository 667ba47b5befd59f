"""A launcher that waits as a batch job: ``launcher.json``, as long as it has not begun.

It is written before the job is submitted, and goes as soon as somebody works on the
run. The job has the run's id for its name, and is found by that.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from trap_hpc.errors import RunError, SchedulerError
from trap_hpc.files import write_whole
from trap_hpc.jsonrecords import parse_record
from trap_hpc.paths import RunPaths
from trap_hpc.run.owner import require_ours
from trap_hpc.run.session import words
from trap_hpc.run.session.ending import Ending
from trap_hpc.schedulers.base import Scheduler

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingLauncher:
    """What is known of it."""

    run_id: str
    site: str
    scheduler: str
    cluster: str
    """Jobs of another cluster are never judged."""
    submitted: str
    """ISO 8601, UTC."""


def note_waiting(directory: Path, waiting: WaitingLauncher) -> None:
    """Say that a launcher of the run in ``directory`` is about to wait.

    Raises
    ------
    StorageError
        It can't be written.
    """
    content = {"schema_version": SCHEMA_VERSION, **asdict(waiting)}
    path = RunPaths(directory).waiting_launcher
    write_whole(path, json.dumps(content, indent=1).encode())


def waiting_launcher(directory: Path) -> WaitingLauncher | None:
    """Return the launcher that waits for a job of its own to begin, if one does."""
    try:
        content = RunPaths(directory).waiting_launcher.read_bytes()
        return parse_record(WaitingLauncher, content)
    except (OSError, ValueError):
        return None


def forget_waiting(directory: Path) -> None:
    """Say that it waits no longer: it has begun, or its job is gone."""
    RunPaths(directory).waiting_launcher.unlink(missing_ok=True)


def require_none_waiting(run_id: str, directory: Path) -> None:
    """Make sure that no job will begin to work on the run by and by.

    Raises
    ------
    RunError
        One may.
    """
    if waiting_launcher(directory) is not None:
        raise RunError(
            f"a launcher of {run_id} waits as a batch job: `trap-hpc stop {run_id}` "
            "takes it back"
        )


def still_waits(
    directory: Path, waiting: WaitingLauncher, scheduler: Scheduler
) -> bool:
    """Ask whether its job is still there, and note it if not: somebody cancelled it."""
    try:
        ours = scheduler.cluster() == waiting.cluster
        jobs = scheduler.jobs([waiting.run_id]) if ours else []
    except SchedulerError:
        return True
    if not ours or any(job.state.left for job in jobs):
        return True
    forget_waiting(directory)
    return False


def take_back(
    directory: Path,
    waiting: WaitingLauncher,
    scheduler: Scheduler,
    *,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    say: Callable[[str], None],
) -> str:
    """Cancel its job, and say in a sentence how that went. It may just have begun.

    Raises
    ------
    RunError
        The job is still there, or is another cluster's.
    """
    require_ours(directory)
    if scheduler.cluster() != waiting.cluster:
        raise RunError(f"its launcher waits on {waiting.cluster}: stop it there")
    left = Ending(
        scheduler=scheduler,
        run_id=waiting.run_id,
        known=(),
        submitted=True,
        clock=clock,
        sleep=sleep,
        say=say,
    ).end()
    if left.jobs is None:
        raise RunError(f"its launcher's job may be left: {left.error}")
    if left.jobs:
        raise RunError(f"its launcher's job is left: {words.left_text(left.jobs)}")
    forget_waiting(directory)
    return f"its launcher's job was taken back: 0 jobs left (asked {scheduler.asked})"
