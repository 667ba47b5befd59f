"""Putting a task into the queue."""

from __future__ import annotations

from dataclasses import asdict

from celery import Celery
from kombu import Queue

from trap_hpc.engines.celery.app import TASK
from trap_hpc.engines.celery.line import TRANSIENT, Line
from trap_hpc.pipeline.tasks import Task


def send(app: Celery, line: Line, queue: Queue, sending: str, task: Task) -> None:
    """Send ``task`` once, as the sending with this id."""
    words = {name: value for name, value in asdict(task).items() if name != "run"}
    app.send_task(
        TASK,
        kwargs=words,
        task_id=sending,
        queue=queue.name,
        producer=line.producer,
        declare=(),
        retry=False,
        delivery_mode=TRANSIENT,
    )
