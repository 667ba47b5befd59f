"""The worker's side: a Celery worker with one process a slot.

The parent imports the pipeline once and forks. It talks to the broker and to the
launcher; its children do the tasks. What becomes of a task is known in the parent, also
when a child dies, and is reported from there.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from celery import Celery, Task, bootsteps, platforms, signals
from celery.apps.worker import Worker
from celery.exceptions import InvalidTaskError
from celery.worker.request import Request
from celery.worker.state import task_ready, task_reserved

from trap_hpc.engines.broker import Broker
from trap_hpc.engines.celery.app import TASK, make_app
from trap_hpc.engines.celery.ear import Ear
from trap_hpc.engines.celery.line import errors
from trap_hpc.engines.celery.messages import (
    Done,
    Here,
    Killed,
    Lease,
    Raised,
    Restart,
    Returned,
    Stop,
    Taken,
)
from trap_hpc.engines.celery.outbox import Outbox
from trap_hpc.engines.lease import LeaseWatch
from trap_hpc.errors import StorageError
from trap_hpc.pipeline import tasks
from trap_hpc.pipeline.tasks import Receipt

BRPOP_S = 5
"""An idle worker asks Redis so often whether there is a task; it hears of one at once."""
LOOK_S = 0.25
"""So often dead processes are looked for."""
HEAR_S = 1.0
LAST_WORDS_S = 0.4
MISSED_BEATS = 4

log = logging.getLogger(__name__)


class CeleryWorker:
    """A worker job: one pool of processes, as many as the job has cores."""

    def __init__(
        self,
        broker: Broker,
        here: Here,
        *,
        run: Path,
        watch: LeaseWatch,
        forked: Callable[[], None],
        leave: Callable[[str], NoReturn],
        again: Callable[[str], NoReturn],
    ) -> None:
        """Make it; `run` starts it.

        ``here`` is who the worker is. ``forked`` is called when all processes are
        there, and threads may be started. ``leave`` ends the worker and its processes
        at once; ``again`` does too, and starts it anew. Both are told why.
        """
        self._broker = broker
        self._here = here
        self._watch = watch
        self._forked = forked
        self._leave = leave
        self._again = again
        self._app = _worker_app(broker, here.address)
        self._outbox = Outbox(self._app, broker, here)
        self._held: dict[str, _Request] = {}
        self._finishing = False
        self._muted = False
        self._controller: Any = None
        self._run = run
        self._app.task(_by_celery, name=TASK, Strategy=self.strategy)

    def run(self) -> None:
        """Work until somebody calls ``leave``."""
        self._controller = _Controller(
            app=self._app,
            hostname=self._here.worker,
            pool="prefork",
            concurrency=self._here.slots,
            optimization="fair",
            quiet=True,
            task_events=False,
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
            job=self,
        )
        self._controller.start()
        self._leave(f"Celery ended with {self._controller.exitcode}")

    def finish(self) -> None:
        """Take no more, finish what has begun, then leave. For the main thread."""
        self._finishing = True
        self._controller.hub.call_soon(self._take_no_more)

    def last_words(self) -> None:
        """Tell the launcher that the worker ends, if that takes no time."""
        self._outbox.leave(LAST_WORDS_S)

    # what Celery calls, in the main thread -------------------------------------

    def pool_is_up(self) -> None:
        """Start the threads: all processes have been forked."""
        self._outbox.start()
        threading.Thread(target=self._listen, name="ear", daemon=True).start()
        self._forked()

    def connected(self, consumer: Any) -> None:
        """Give back what a broken connection has made Celery forget."""
        consumer.hub.call_repeatedly(LOOK_S, consumer.pool.maintain_pool)
        for request in list(self._held.values()):
            if request.time_start is None:
                self._give_back(request.id)
        log.info("takes tasks")

    def strategy(self, task: Task[Any, Any], app: Celery, consumer: Any) -> Any:
        """Return what takes a message: `celery.app.task.Task.Strategy`."""

        def take(
            message: Any, body: Any, ack: Any, reject: Any, callbacks: Any
        ) -> None:
            sending, work = _read(message, self._run)
            if self._finishing or message.delivery_info.get("redelivered"):
                # It may be at work elsewhere: the driver alone sends again.
                ack(log, consumer.connection_errors)
                self._outbox.put(Returned(worker=self._here.worker, id=sending))
                return
            request = _Request(
                message,
                on_ack=ack,
                on_reject=reject,
                app=app,
                hostname=consumer.hostname,
                task=task,
                connection_errors=consumer.connection_errors,
            )
            request.job, request.work = self, work
            self._held[sending] = request
            self._outbox.put(Taken(worker=self._here.worker, id=sending))
            task_reserved(request)
            consumer.on_task_request(request)

        return take

    def answered(self, sending: str, answer: dict[str, Any]) -> None:
        """Report what a process returned."""
        if "receipt" in answer:
            receipt = Receipt(**answer["receipt"])
            self._outbox.put(
                Done(worker=self._here.worker, id=sending, receipt=receipt)
            )
        else:
            self._outbox.put(Raised(worker=self._here.worker, id=sending, **answer))
        self._let_go(sending)

    def died(self, sending: str, error: BaseException) -> None:
        """Report that a process died."""
        if self._muted:
            return
        # ``Worker exited prematurely: signal 9 (SIGKILL) Job: 3.``
        how = str(error).partition("prematurely: ")[2].partition(" Job:")[0]
        log.warning("a process died: %s", how or error)
        self._outbox.put(
            Killed(worker=self._here.worker, id=sending, how=how or str(error))
        )
        self._let_go(sending)

    def mute(self) -> None:
        """Report no deaths any more: from now on processes are killed by ourselves."""
        self._muted = True

    def _give_back(self, sending: str) -> None:
        self._outbox.put(Returned(worker=self._here.worker, id=sending))
        self._let_go(sending)

    def _let_go(self, sending: str) -> None:
        self._held.pop(sending, None)
        if self._finishing and not self._held:
            self._leave("has finished what it had begun, and takes no more")

    def _take_no_more(self) -> None:
        log.info("takes no more tasks; %d in hand", len(self._held))
        consumer = self._controller.consumer
        if consumer.task_consumer:
            consumer.task_consumer.cancel()
        self._controller.semaphore.clear()
        for request in list(self._held.values()):
            if not request.admitted:
                self._give_back(request.id)
        self._let_go("")

    # in a thread ---------------------------------------------------------------

    def _listen(self) -> None:
        """Hear announcements, whatever the connection does."""
        broken = errors(self._app)
        ear: Ear | None = None
        heard_s: float | None = None
        while True:
            try:
                ear = ear or Ear(self._app, self._broker)
                if self._heed(ear):
                    heard_s = time.monotonic()
            except broken as error:
                log.warning("hears nothing from the launcher, trying on: %s", error)
                if ear is not None:
                    ear.close()
                ear = None
                time.sleep(HEAR_S)
            if heard_s is not None:
                self._fear_deafness(time.monotonic() - heard_s)

    def _heed(self, ear: Ear) -> bool:
        """Do as announced; return whether anything was."""
        heard = ear.hear(HEAR_S)
        for announcement in heard:
            match announcement:
                case Lease(beat=beat):
                    self._watch.see("broker", beat)
                case Stop():
                    self._leave("the launcher says stop")
                case Restart(worker=self._here.worker):
                    self._again("tasks wait, and it took none")
                case Restart():
                    pass
        return bool(heard)

    def _fear_deafness(self, silent_s: float) -> None:
        """Start anew if the launcher lives, by the lease file, but is not heard."""
        limit_s = max(self._watch.lease_s / 2, MISSED_BEATS * self._broker.beat_s)
        if silent_s > limit_s and self._watch.seen_s < limit_s / 2:
            self._again(f"heard nothing through the broker for {silent_s:.0f} s")


class _Controller(Worker):  # type: ignore[misc]
    """Celery's worker, without its signal handlers: those are ours."""

    def install_platform_tweaks(self, worker: object) -> None:
        """Leave signals alone."""


class _Pool(bootsteps.StartStopStep):  # type: ignore[misc]
    """Tells us that the processes are there."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, job: CeleryWorker, **options: Any) -> None:
        self._job = job
        super().__init__(parent, **options)

    def start(self, parent: Any) -> None:
        self._job.pool_is_up()


class _Connected(bootsteps.StartStopStep):  # type: ignore[misc]
    """Tells us that tasks come in, the first time or again."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, parent: Any, job: CeleryWorker, **options: Any) -> None:
        self._job = job
        super().__init__(parent, **options)

    def start(self, parent: Any) -> None:
        self._job.connected(parent)


class _Request(Request):  # type: ignore[misc]
    """A task in the parent, from the queue until it is done or its process died."""

    job: CeleryWorker
    admitted = False
    """It is with the processes, or on the way to them."""

    work: tasks.Task

    def execute_using_pool(self, pool: Any, **options: Any) -> Any:
        """Give it to a process: ours needs nothing of what Celery does around tasks."""
        self.admitted = True
        return pool.apply_async(
            _answer,
            args=(self.work,),
            accept_callback=self.on_accepted,
            callback=self.on_success,
            error_callback=self.on_failure,
            correlation_id=self.id,
        )

    def on_success(self, answer: Any, **options: Any) -> None:
        """Hear what the process returned."""
        task_ready(self, successful=True)
        self.job.answered(self.id, answer)

    def on_failure(
        self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False
    ) -> None:
        """Hear that the process died: our tasks raise nothing."""
        task_ready(self)
        self.job.died(self.id, exc_info.exception)


def _worker_app(broker: Broker, address: str) -> Celery:
    app = make_app(broker, address)
    # Also how long Redis holds a question of an idle worker.
    app.conf.broker_transport_options["polling_interval"] = BRPOP_S
    app.steps["worker"].add(_Pool)
    app.steps["consumer"].add(_Connected)
    signals.setup_logging.connect(_leave_logging_alone, weak=False)
    begin = partial(_begin_process, os.getpid())
    signals.worker_process_init.connect(begin, weak=False)
    return app


def _read(message: Any, run: Path) -> tuple[str, tasks.Task]:
    """Return id and task of a message.

    The run directory is ours, not the sender's to name.
    """
    try:
        _, arguments, _ = message.payload
        batch, attempt = str(arguments["batch"]), int(arguments["attempt"])
        return (
            str(message.headers["id"]),
            tasks.Task(run=str(run), batch=batch, attempt=attempt),
        )
    except (TypeError, ValueError, KeyError) as error:
        raise InvalidTaskError(f"no task of ours: {error}") from None


def _by_celery() -> NoReturn:
    """Stand for the task that messages name; `_Request` has it done."""
    raise NotImplementedError


def _answer(task: tasks.Task) -> dict[str, Any]:
    """Do ``task`` in a process, and raise nothing."""
    try:
        return {"receipt": asdict(tasks.work(task))}
    except StorageError as error:
        return {"error": str(error), "fatal": True}
    except Exception as error:  # noqa: BLE001  the process outlives any task
        return {"error": f"{type(error).__name__}: {error}"}


def _leave_logging_alone(**_: object) -> None:
    """Celery sets up logging of its own unless somebody receives this signal."""


def _begin_process(parent: int, **_: object) -> None:
    """Run in each process before its first task."""
    # The parent answers these, and its end is the processes' end. Schedulers send them
    # to all processes of a job at a time: a task must not seem to have killed its own.
    platforms.signals.ignore("SIGTERM", "SIGUSR1", "SIGHUP", "SIGINT")
    if os.getppid() != parent:  # it died before the system was told to watch it
        os._exit(1)
