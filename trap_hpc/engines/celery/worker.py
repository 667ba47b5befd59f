"""The worker's side: one process a slot, and a parent that answers for them.

The parent imports the pipeline once and forks. It talks to the broker and to the
launcher; its children do the tasks. What becomes of a task is known in the parent, also
when a child dies, and is reported from there.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from trap_hpc.engines.broker import Broker
from trap_hpc.engines.celery.assignment import Assignment, how_it_died
from trap_hpc.engines.celery.line import put_nothing_back, spare
from trap_hpc.engines.celery.listening import Listener
from trap_hpc.engines.celery.machinery import make_controller, make_worker_app
from trap_hpc.engines.celery.messages import (
    Done,
    Here,
    Killed,
    Overran,
    Raised,
    Returned,
    Taken,
)
from trap_hpc.engines.celery.outbox import Outbox
from trap_hpc.engines.deadline import Deadline
from trap_hpc.engines.lease import LeaseWatch
from trap_hpc.pipeline.tasks import Receipt, Task

LOOK_S = 0.25
"""So often dead and slow processes are looked for."""
LAST_WORDS_S = 0.4

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
        deadline: Deadline,
        forked: Callable[[], None],
        moved: Callable[[], bool],
        leave: Callable[[str], NoReturn],
        again: Callable[[str], NoReturn],
    ) -> None:
        """Make it; `run` starts it.

        ``here`` is who the worker is. ``forked`` is called when all processes are
        there, and threads may be started. ``moved`` says whether the session has got
        another broker, asked when this one does not answer. ``leave`` ends the worker
        and its processes at once; ``again`` does too, and starts it anew. Both are
        told why.
        """
        self._here = here
        self._deadline = deadline
        self._forked = forked
        self._leave = leave
        self._app = make_worker_app(broker, here.address, run, self)
        self._outbox = Outbox(self._app, broker, here, deadline)
        self._listener = Listener(
            self._app,
            broker,
            here,
            watch=watch,
            deadline=deadline,
            moved=moved,
            leave=leave,
            again=again,
        )
        self._held: dict[str, Assignment] = {}
        self._finishing = False
        self._muted = False
        self._controller: Any = None

    def run(self) -> None:
        """Work until somebody calls ``leave``, or Celery gives up."""
        name, slots = self._here.worker, self._here.slots
        self._controller = make_controller(self._app, name, slots, self)
        self._controller.start()

    def finish(self) -> None:
        """Take no more, finish what has begun, then leave. For the main thread."""
        if self._finishing:
            return
        self._finishing = True
        self._outbox.put(replace(self._here, slots=0))
        hub = getattr(self._controller, "hub", None)
        if hub is None:
            self._leave("has not begun anything")
        hub.call_soon(self._take_no_more)

    def last_words(self) -> None:
        """Tell the launcher that the worker ends, if that takes no time."""
        self._outbox.leave(LAST_WORDS_S)

    def mute(self) -> None:
        """Report no deaths any more: from now on processes are killed by ourselves."""
        self._muted = True

    # what Celery calls, in the main thread -------------------------------------

    def pool_is_up(self) -> None:
        """Start the threads: all processes have been forked."""
        self._outbox.start()
        listener = self._listener
        threading.Thread(target=listener.run, name="ear", daemon=True).start()
        self._forked()

    def connected(self, consumer: Any) -> None:
        """Give back what a broken connection has made Celery forget."""
        channel = consumer.connection.default_channel
        spare(channel)
        put_nothing_back(channel)
        consumer.hub.call_repeatedly(LOOK_S, consumer.pool.maintain_pool)
        consumer.hub.call_repeatedly(LOOK_S, self._look_at_the_clock)
        for assignment in list(self._held.values()):
            if assignment.began_s is None:
                self._give_back(assignment.id)
        log.info("takes tasks")

    def takes(self, sending: str, work: Task, *, again: bool) -> bool:
        """Whether to do a task that has come; if not, the launcher hears of it."""
        if not self._deadline.leaves_time_for(work.expected_s):
            log.info("has no time left for another task")
            self.finish()
        if again or self._finishing:
            self._outbox.put(Returned(worker=self._here.worker, id=sending))
            return False
        return True

    def took(self, assignment: Assignment) -> None:
        """Report that a task is here."""
        self._held[assignment.id] = assignment
        self._outbox.put(Taken(worker=self._here.worker, id=assignment.id))

    def answered(self, sending: str, said: dict[str, Any]) -> None:
        """Report what a process said."""
        name = self._here.worker
        if "receipt" in said:
            receipt = Receipt(**said["receipt"])
            self._outbox.put(Done(worker=name, id=sending, receipt=receipt))
        else:
            self._outbox.put(Raised(worker=name, id=sending, **said))
        self._let_go(sending)

    def died(self, assignment: Assignment, error: BaseException) -> None:
        """Report that a process died."""
        if self._muted:
            return
        how = how_it_died(error)
        log.warning("a process died under a task: %s", how)
        name, sending = self._here.worker, assignment.id
        killed = Killed(worker=name, id=sending, how=how)
        overran = Overran(worker=name, id=sending)
        self._outbox.put(overran if assignment.overran else killed)
        self._let_go(sending)

    def _look_at_the_clock(self) -> None:
        for assignment in list(self._held.values()):
            assignment.end_if_slow()
        if self._deadline.at_hand:
            self.last_words()
            self._leave("the job's time is over")
        if self._deadline.near:
            self.finish()

    def _give_back(self, sending: str) -> None:
        self._outbox.put(Returned(worker=self._here.worker, id=sending))
        self._let_go(sending)

    def _let_go(self, sending: str) -> None:
        self._held.pop(sending, None)
        self._leave_if_finished()

    def _leave_if_finished(self) -> None:
        if self._finishing and not self._held:
            self.last_words()
            self._leave("has finished what it had begun")

    def _take_no_more(self) -> None:
        log.info("takes no more tasks")
        consumer = self._controller.consumer
        if consumer.task_consumer:
            consumer.task_consumer.cancel()
        self._controller.semaphore.clear()  # of those that wait for a process
        for assignment in list(self._held.values()):
            if not assignment.admitted:
                self._give_back(assignment.id)
        self._leave_if_finished()
