"""A launcher that goes on when its user has logged out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from trap_hpc.config.environment import launcher_environment
from trap_hpc.paths import RunPaths
from trap_hpc.run.overview import overview
from trap_hpc.run.plan import Plan
from trap_hpc.run.session.logs import last_lines
from trap_hpc.shell import Process, start

LOOK_S = 0.1
PATIENCE_S = 20.0
"""Long enough for a scheduler to accept or refuse its jobs, as a rule."""
LINES_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Detached:
    """A launcher on its own."""

    pid: int
    log: Path
    """What it prints."""
    begun: bool = False
    """Whether it has got to work; else it may yet fail."""
    exit_code: int | None = None
    """None: it is still there."""
    said: Sequence[str] = ()
    """Its last lines, if it has ended."""

    @property
    def state(self) -> str:
        """Say whether it works."""
        return "it has begun" if self.begun else "it has not begun yet"


def detach(
    plan: Plan,
    argv: Sequence[str],
    *,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> Detached:
    """Start a launcher as ``argv``, and wait until it has begun, but not for ever.

    Raises
    ------
    CommandError
        It can't be started.
    """
    paths = RunPaths(plan.directory)
    paths.launcher_log.unlink(missing_ok=True)  # an earlier launcher's
    process = start(
        argv, environment=launcher_environment(paths.code), output=paths.launcher_log
    )
    until_s = clock() + PATIENCE_S
    while process.poll() is None and clock() < until_s and not _begun(plan, process):
        sleep(LOOK_S)
    log = paths.launcher_log.absolute()
    return Detached(
        pid=process.pid,
        log=log,
        begun=_begun(plan, process),
        exit_code=process.returncode,
        said=() if process.returncode is None else last_lines(log, LINES_SHOWN),
    )


def _begun(plan: Plan, process: Process) -> bool:
    """Whether the launcher works, and has submitted its jobs if there are to be any."""
    seen = overview(plan.directory)
    if seen.launcher is None or seen.launcher.pid != process.pid:
        return False
    if plan.site is None:
        return seen.progress is not None
    return seen.session is not None and seen.session.jobs > 0
