"""Ending a session: a list of steps in order, each tried even if one before failed.

The launcher does it at its own end, and `reap` for a launcher that is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from trap_hpc.errors import TrapHpcError
from trap_hpc.paths import RunPaths
from trap_hpc.run.session import words
from trap_hpc.run.session.ending import PATIENCE_S, Ending, Left
from trap_hpc.run.session.record import SessionRecord, write_session
from trap_hpc.schedulers.base import Scheduler


class SupersededError(Exception):
    """Another session of the run has begun, or somebody else has ended this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How a session ended."""

    run_id: str
    jobs: int
    """That were submitted."""
    left: int | None
    """By the scheduler's own answer; None: it gave none."""
    left_text: str
    """Which ones, or why there is no answer."""
    asked: str
    """The command that answered."""
    seconds: float
    problems: tuple[str, ...]

    @property
    def good(self) -> bool:
        """Whether nothing is left, for certain."""
        return self.left == 0 and not self.problems

    def __str__(self) -> str:
        """Say it in a sentence."""
        submitted = f"{words.count(self.jobs, 'job')} submitted"
        reap = f"`trap-hpc reap {self.run_id}` finishes it"
        if self.left is None:
            return (
                f"{submitted}, and {self.asked} did not say whether any is left: "
                f"{self.left_text}; {reap}"
            )
        text = f"{submitted}, {self.left} left (asked {self.asked})"
        if self.left:
            text += f" after {self.seconds:.0f} s: {self.left_text}; {reap}"
        return "\n".join([text, *self.problems])


@dataclass(slots=True, kw_only=True)
class Teardown:
    """What there is to end. What a dead launcher had in its memory, is not there."""

    directory: Path
    record: SessionRecord
    scheduler: Scheduler
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    say: Callable[[str], None]
    log: Callable[[str], None]
    dismiss: Callable[[], None] = lambda: None
    """Tell the workers to stop."""
    close_engine: Callable[[], None] = lambda: None
    stop_broker: Callable[[], None] = lambda: None
    credentials_last: bool = False
    """They are still needed to stop the broker."""
    end_lease: Callable[[], None] = lambda: None
    grace_s: float = 0.0
    """So long workers may take to leave by themselves before jobs are cancelled."""
    patience_s: float = PATIENCE_S
    check: Callable[[], None] = lambda: None
    """It raises `SupersededError` if the session is not the latest any more."""

    def run(self, remark: str = "") -> Report:
        """Do all of it, and note how it went.

        Raises
        ------
        SupersededError
            By ``check``: what is left to do would hurt somebody else.
        """
        began_s = self.clock()
        left = Left(jobs=None, error="it was not asked")

        def end_jobs() -> None:
            nonlocal left
            left = self._ending().end()

        delete = ("delete the broker's credentials", self._delete_credentials)
        # Early: a worker that only begins now can't hear that it should stop.
        early = () if self.credentials_last else (delete,)
        problems = self._each(
            ("tell the workers to stop", self.dismiss),
            *early,
            ("end the jobs", end_jobs),
            ("close the engine", self.close_engine),
            ("stop the broker", self.stop_broker),
            delete,
            ("end the lease", self.end_lease),
            ("remove roll calls", self._remove_roll_calls),
        )
        report = self._report(left, self.clock() - began_s, problems)
        return self._note(report, remark)

    def _each(self, *steps: tuple[str, Callable[[], None]]) -> tuple[str, ...]:
        """Take all steps; return what went wrong."""
        problems = []
        for name, step in steps:
            self.check()
            try:
                step()
            except SupersededError:
                raise
            except Exception as error:  # noqa: BLE001  what comes after must be done
                known = isinstance(error, TrapHpcError | OSError)
                kind = "" if known else f"{type(error).__name__}: "
                problems.append(f"could not {name}: {kind}{error}")
                self.log(problems[-1])
        return tuple(problems)

    def _ending(self) -> Ending:
        return Ending(
            scheduler=self.scheduler,
            run_id=self.record.run_id,
            known=self.record.arrays,
            submitted=self.record.submitting,
            clock=self.clock,
            sleep=self.sleep,
            say=self.say,
            grace_s=self.grace_s,
            patience_s=self.patience_s,
            check=self.check,
        )

    def _delete_credentials(self) -> None:
        path = RunPaths(self.directory).broker
        # Also those that a launcher was writing when it was killed.
        for each in (path, *path.parent.glob(f".{path.name}.*.tmp")):
            each.unlink(missing_ok=True)

    def _remove_roll_calls(self) -> None:
        folder = RunPaths(self.directory).roll_calls
        for path in folder.iterdir() if folder.exists() else ():
            path.unlink(missing_ok=True)

    def _report(self, left: Left, seconds: float, problems: Sequence[str]) -> Report:
        return Report(
            run_id=self.record.run_id,
            jobs=self.record.jobs,
            left=None if left.jobs is None else len(left.jobs),
            left_text=left.error if left.jobs is None else words.left_text(left.jobs),
            asked=self.scheduler.asked,
            seconds=seconds,
            problems=tuple(problems),
        )

    def _note(self, report: Report, remark: str) -> Report:
        """Keep the report; while jobs are left the session counts as up."""
        record = replace(
            self.record,
            up=report.left != 0 and self.record.submitting,
            ended=datetime.now(UTC).isoformat(timespec="seconds"),
            left=report.left,
            asked=report.asked,
            remark="; ".join(filter(None, (remark, *report.problems))),
        )
        problems = self._each(
            (
                "note how it ended",
                lambda: write_session(self.directory, record),
            )
        )
        return replace(report, problems=(*report.problems, *problems))
