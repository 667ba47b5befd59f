"""What runs in a worker's processes, which are forked from its parent."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from celery import platforms

from trap_hpc.errors import StorageError
from trap_hpc.pipeline import tasks


def ignore_signals() -> None:
    """Leave signals to the parent, whose end is its processes' end.

    Schedulers send them to all processes of a job at a time: a task must not seem to
    have killed its own.
    """
    for name in ("SIGTERM", "SIGUSR1", "SIGHUP", "SIGINT"):
        platforms.signals.ignore(platforms.signals.signum(name))


def answer(task: tasks.Task) -> dict[str, Any]:
    """Do ``task``, and raise nothing."""
    try:
        return {"receipt": asdict(tasks.work(task))}
    except StorageError as error:
        return {"error": str(error), "fatal": True}
    except Exception as error:  # noqa: BLE001  the process outlives any task
        return {"error": f"{type(error).__name__}: {error}"}
