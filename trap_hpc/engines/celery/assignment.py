"""A task in the parent of a worker's processes: from the queue until it is done.

No result, no event and no late acknowledgement of Celery's could tell the launcher
which task killed a process, or took too long: it is noted here.
"""

from __future__ import annotations

import contextlib
import re
import time
from typing import Any, Protocol

import psutil
from celery.exceptions import InvalidTaskError
from celery.worker.request import Request
from celery.worker.state import task_ready

from trap_hpc.engines.celery.process import answer
from trap_hpc.pipeline.tasks import Task

_BATCH = re.compile(r"[A-Za-z0-9][\w.-]*", re.ASCII)


class Job(Protocol):
    """Who is told what happens in the parent, in its main thread."""

    def pool_is_up(self) -> None:
        """All processes have been forked."""

    def connected(self, consumer: Any) -> None:
        """Tasks come in, for the first time or again."""

    def takes(self, sending: str, work: Task, *, again: bool) -> bool:
        """Whether a task may be done here that has come, perhaps not the first time.

        If not it is dropped.
        """

    def took(self, assignment: Assignment) -> None:
        """Hear that it will be done here."""

    def answered(self, sending: str, said: dict[str, Any]) -> None:
        """Hear what a process says of a task."""

    def died(self, assignment: Assignment, error: BaseException) -> None:
        """Hear that a process died under a task."""


class Assignment(Request):
    """A task in the parent, from the queue until it is done or its process died."""

    work: Task
    job: Job
    admitted = False
    """It is with the processes, or on the way to them."""
    began_s: float | None = None
    """When a process began with it, by our monotonic clock."""
    overran = False
    """It was ended because it took too long."""

    def execute_using_pool(self, pool: Any, **options: Any) -> Any:
        """Give it to a process: ours needs nothing of what Celery does around tasks."""
        self.admitted = True
        return pool.apply_async(
            answer,
            args=(self.work,),
            accept_callback=self.on_accepted,
            callback=self.on_success,
            error_callback=self.on_failure,
            correlation_id=self.id,
        )

    def on_accepted(self, pid: Any, time_accepted: float) -> None:
        """Hear that a process begins with it."""
        self.began_s = time.monotonic()
        super().on_accepted(pid, time_accepted)

    def end_if_slow(self) -> None:
        """Kill the process that has worked on it for longer than it may take.

        Also one that is stopped, or stuck in a library: no signal but this one helps.
        """
        limit_s = self.work.limit_s
        if not limit_s or self.overran or self.began_s is None:
            return
        if time.monotonic() - self.began_s > limit_s:
            self.overran = True
            with contextlib.suppress(psutil.NoSuchProcess):
                psutil.Process(int(self.worker_pid or 0)).kill()

    def on_success(self, said: Any, **options: Any) -> None:  # type: ignore[override]
        """Hear what the process returned."""
        task_ready(self, successful=True)
        self.job.answered(self.id, said)

    def on_failure(
        self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False
    ) -> None:
        """Hear that the process died: our tasks raise nothing."""
        task_ready(self)
        self.job.died(self, exc_info.exception)


def _batch(name: str) -> str:
    """Let no message name files elsewhere: a batch's name is part of file names."""
    if not _BATCH.fullmatch(name):
        raise ValueError(f"{name[:50]!r} is no name of a batch")
    return name


def read_task(message: Any, run: str) -> tuple[str, Task]:
    """Return id and task of a message. The run is ours, not the sender's to name.

    Raises
    ------
    InvalidTaskError
        It is no task of ours.
    """
    try:
        _, named, _ = message.payload
        task = Task(
            run=run,
            batch=_batch(str(named["batch"])),
            attempt=int(named["attempt"]),
            expected_s=float(named.get("expected_s", 0.0)),
            limit_s=float(named.get("limit_s", 0.0)),
        )
        return str(message.headers["id"]), task
    except (TypeError, ValueError, KeyError) as error:
        raise InvalidTaskError(f"no task of ours: {error}") from None


def how_it_died(error: BaseException) -> str:
    """Return the end in billiard's words: ``signal 9 (SIGKILL)``."""
    how = str(error).partition("prematurely: ")[2].partition(" Job:")[0]
    return how or str(error)
