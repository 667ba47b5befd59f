"""The parts of Celery's worker that we put in or replace.

Celery reads the queue, keeps the pool of processes, and recovers lost connections. What
becomes of a task is ours to say: no result, no event and no late acknowledgement could
tell the launcher which task killed a process.
"""

from __future__ import annotations

import logging
import multiprocessing
import tempfile
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from celery import Celery, bootsteps, signals
from celery.apps.worker import Worker
from celery.concurrency import asynpool, prefork
from celery.worker.state import task_reserved

from trap_hpc.engines.broker import Broker
from trap_hpc.engines.celery.app import TASK, make_app
from trap_hpc.engines.celery.assignment import Assignment, Job, read_task
from trap_hpc.engines.celery.process import ignore_signals

BRPOP_S = 5
"""So often an idle worker asks Redis for a task; it hears of one at once."""


log = logging.getLogger(__name__)


def make_worker_app(broker: Broker, address: str, run: Path, job: Job) -> Celery:
    """Return our Celery for the parent of a worker's processes."""
    app = make_app(broker, address)
    # Also how long Redis holds a question of an idle worker.
    app.conf.broker_transport_options["polling_interval"] = BRPOP_S
    app.steps["worker"].add(_Pool)
    app.steps["consumer"].add(_Connected)
    strategy = partial(_strategy, str(run), job)
    options: dict[str, Any] = {"name": TASK, "Strategy": strategy}
    app.task(**options)(_by_celery)
    signals.setup_logging.connect(_leave_logging_alone, weak=False)
    return app


def make_controller(app: Celery, name: str, slots: int, job: Job) -> Any:
    """Return Celery's worker: ``start`` runs it."""
    _make_no_folder()
    return _Controller(
        app=app,
        hostname=name,
        pool=_Processes,
        concurrency=slots,
        optimization="fair",
        quiet=True,
        task_events=False,
        # Each of these talks to all other workers.
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        job=job,
    )


def _make_no_folder() -> None:
    """Let the pool's one file, which it removes at once, lie right in ``/tmp``.

    It would get a folder of its own, which workers that end at once leave behind.
    """
    config = multiprocessing.current_process()._config  # type: ignore[attr-defined]  # noqa: SLF001
    config["tempdir"] = tempfile.gettempdir()


def _strategy(run: str, job: Job, task: Any, app: Celery, consumer: Any) -> Any:
    """Return what takes a message: see `celery.app.task.Task.Strategy`."""

    def take(message: Any, body: Any, ack: Any, reject: Any, callbacks: Any) -> None:
        sending, work = read_task(message, run)
        # What comes a second time may be at work elsewhere: the driver alone sends
        # again.
        again = bool(message.delivery_info.get("redelivered"))
        if not job.takes(sending, work, again=again):
            ack(log, consumer.connection_errors)
            return
        assignment = Assignment(
            message,
            on_ack=ack,
            on_reject=reject,
            app=app,
            hostname=consumer.hostname,
            task=task,
            connection_errors=consumer.connection_errors,
        )
        assignment.job, assignment.work = job, work
        job.took(assignment)
        task_reserved(assignment)
        consumer.on_task_request(assignment)

    return take


class _Controller(Worker):
    """Celery's worker, without its signal handlers: those are ours."""

    def install_platform_tweaks(self, worker: object) -> None:
        """Leave signals alone."""


class _Process(asynpool.Worker):
    """A process of the pool."""

    def on_loop_start(self, pid: int) -> None:
        """Begin: nobody sets up signals after this."""
        ignore_signals()
        super().on_loop_start(pid)


class _AsynPool(asynpool.AsynPool):
    Worker = _Process


class _Processes(prefork.TaskPool):
    """Celery's pool, of our processes."""

    Pool = _AsynPool


class _Pool(bootsteps.StartStopStep):
    """Tells us that the processes are there."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, job: Job, **options: Any) -> None:
        self._job = job
        super().__init__(parent, **options)

    def start(self, parent: Any) -> None:
        self._job.pool_is_up()


class _Connected(bootsteps.StartStopStep):
    """Tells us that tasks come in."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, parent: Any, job: Job, **options: Any) -> None:
        self._job = job
        super().__init__(parent, **options)

    def start(self, parent: Any) -> None:
        self._job.connected(parent)


def _by_celery() -> NoReturn:
    """Stand for the task that messages name; `Assignment` has it done."""
    raise NotImplementedError


def _leave_logging_alone(**_: object) -> None:
    """Celery sets up logging of its own unless somebody receives this signal."""
