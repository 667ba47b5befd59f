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
from typing import Any, NoReturn, Protocol

from celery import Celery, bootsteps, signals
from celery.apps.worker import Worker
from celery.concurrency import asynpool, prefork
from celery.exceptions import InvalidTaskError
from celery.worker.request import Request
from celery.worker.state import task_ready, task_reserved

from trap_hpc.engines.broker import Broker
from trap_hpc.engines.celery.app import TASK, make_app
from trap_hpc.engines.celery.process import answer, ignore_signals
from trap_hpc.pipeline.tasks import Task

BRPOP_S = 5
"""So often an idle worker asks Redis for a task; it hears of one at once."""


log = logging.getLogger(__name__)


class Job(Protocol):
    """Who is told what happens in the parent, in its main thread."""

    def pool_is_up(self) -> None:
        """All processes have been forked."""

    def connected(self, consumer: Any) -> None:
        """Tasks come in, for the first time or again."""

    def takes(self, sending: str, *, again: bool) -> bool:
        """Whether a task may be done here that has come, perhaps not the first time.

        If not it is dropped.
        """

    def took(self, assignment: Assignment) -> None:
        """Hear that it will be done here."""

    def answered(self, sending: str, said: dict[str, Any]) -> None:
        """Hear what a process says of a task."""

    def died(self, sending: str, error: BaseException) -> None:
        """Hear that a process died under a task."""


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


class Assignment(Request):
    """A task in the parent, from the queue until it is done or its process died."""

    work: Task
    job: Job
    admitted = False
    """It is with the processes, or on the way to them."""

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

    def on_success(self, said: Any, **options: Any) -> None:  # type: ignore[override]
        """Hear what the process returned."""
        task_ready(self, successful=True)
        self.job.answered(self.id, said)

    def on_failure(
        self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False
    ) -> None:
        """Hear that the process died: our tasks raise nothing."""
        task_ready(self)
        self.job.died(self.id, exc_info.exception)


def read_task(message: Any, run: str) -> tuple[str, Task]:
    """Return id and task of a message. The run is ours, not the sender's to name.

    Raises
    ------
    InvalidTaskError
        It is no task of ours.
    """
    try:
        _, named, _ = message.payload
        batch, attempt = str(named["batch"]), int(named["attempt"])
        return str(message.headers["id"]), Task(run=run, batch=batch, attempt=attempt)
    except (TypeError, ValueError, KeyError) as error:
        raise InvalidTaskError(f"no task of ours: {error}") from None


def _strategy(run: str, job: Job, task: Any, app: Celery, consumer: Any) -> Any:
    """Return what takes a message: see `celery.app.task.Task.Strategy`."""

    def take(message: Any, body: Any, ack: Any, reject: Any, callbacks: Any) -> None:
        sending, work = read_task(message, run)
        # What comes a second time may be at work elsewhere: the driver alone sends
        # again.
        again = bool(message.delivery_info.get("redelivered"))
        if not job.takes(sending, again=again):
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
