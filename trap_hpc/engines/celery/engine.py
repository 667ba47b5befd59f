"""The launcher's side: tasks go out, reports come in, and nothing else is remembered.

All that matters is in the books here and in the driver's ledger. The broker may vanish
with everything in it: what it held is sent again.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Collection, Sequence

from trap_hpc.engines.base import Member, Outcome
from trap_hpc.engines.broker import Broker
from trap_hpc.engines.celery.announcer import Announcer
from trap_hpc.engines.celery.app import make_app
from trap_hpc.engines.celery.books import Books
from trap_hpc.engines.celery.lasting import LastingLine
from trap_hpc.engines.celery.line import Line
from trap_hpc.engines.celery.messages import Ends, Lease, Restart, Stop, reports_from
from trap_hpc.engines.celery.queues import make_queues
from trap_hpc.engines.celery.reading import read_what_waits
from trap_hpc.engines.celery.sending import send
from trap_hpc.engines.celery.sweeping import sweep
from trap_hpc.engines.deadline import TimeLeft
from trap_hpc.engines.lease import Beat
from trap_hpc.errors import BrokerError
from trap_hpc.pipeline.tasks import Task

TICK_S = 0.5
ASK_S = 1.0
"""How often the broker is asked, at most, how much waits in the queue."""
REDECLARE_S = 60.0
"""So often it is shown that the queue is still wanted: see `queues.EXPIRES_S`."""
ONCE = (0.0,)
ENOUGH = 100
"""So much news is passed on before more is read."""
DEAF_S = 15.0
"""A worker that lets tasks wait for so long, though it is free, is started anew."""


class CeleryEngine:
    """Workers that others start, fed through a broker."""

    name = "celery"

    def __init__(
        self,
        broker: Broker,
        *,
        address: str,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """``address``: by which of the broker's addresses we reach it ourselves."""
        self._broker = broker
        self._clock = clock
        self._app = make_app(broker, address)
        self._queues = make_queues(broker)
        self._books = Books(broker.lease_s, clock)
        self._lock = threading.Lock()  # others may ask and forget while we wait
        self._news: list[Outcome] = []
        self._unread: list[object] = []
        self._line = LastingLine(self._app, self._prepare, sleep=sleep)
        self._announcer = Announcer(self._app, broker)
        self._asked_s = self._heard_s = clock()
        self._dismissed = False

    @property
    def workers(self) -> int:
        """How many tasks are worked on at the same time; 1 while nobody is there."""
        with self._lock:
            return max(self._books.slots, 1)

    @property
    def places(self) -> int:
        """In how many places: each worker job is one."""
        with self._lock:
            return self._books.places

    @property
    def capacity(self) -> int:
        """How many tasks may be under way; 0 until a worker is there."""
        with self._lock:
            return self._books.capacity

    def start(self) -> None:
        """Connect, and have the queues there before any worker.

        Raises
        ------
        BrokerError
            The broker does not answer.
        """
        self._line.use(lambda line: None)

    def submit(self, task: Task) -> None:
        """Send ``task``, once; if that fails it may have arrived or not.

        Raises
        ------
        BrokerError
            The broker is gone.
        """
        self._line.use(lambda line: None)
        with self._lock:
            sending = self._books.send(task)
        with contextlib.suppress(BrokerError):  # nobody claims what did not arrive
            self._line.use(lambda line: self._send(line, sending, task), ONCE)

    def outcomes(self, timeout_s: float) -> Sequence[Outcome]:
        """Wait until there is news, also of workers, and return all of it.

        Raises
        ------
        BrokerError
            The broker is gone.
        """
        until_s = self._clock() + timeout_s
        capacity = self.capacity
        while True:
            all_read = self._line.use(self._reader(until_s))
            self._take_reports()
            self._heard_s = self._clock()
            if all_read:  # or else workers seem to be silent that are not
                self._look_for_the_lost()
            elif len(self._news) < ENOUGH:
                continue  # the signs of life of many workers must not pile up
            with self._lock:
                news, self._news = self._news, []
            if news or capacity != self.capacity or self._clock() >= until_s:
                return news

    def renew(self, beat: Beat) -> None:
        """Show all workers that the launcher is alive. For a thread of its own.

        Raises
        ------
        BrokerError
            The broker is gone.
        """
        self._announcer.say(Lease(beat=beat))

    def members(self) -> Sequence[Member]:
        """Return the workers that are there now. Any thread may ask."""
        with self._lock:
            return self._books.members

    def forget(self, jobs: Collection[str]) -> None:
        """Take the workers of these jobs for lost. Any thread may say so."""
        with self._lock:
            self._news += self._books.forget(jobs)

    def tell_ends(self, jobs: Sequence[TimeLeft]) -> None:
        """Tell workers when their jobs will be ended, who don't know."""
        with contextlib.suppress(BrokerError):  # they hear it the next time
            self._announcer.say(Ends(jobs=tuple(jobs)))

    def dismiss(self) -> None:
        """Tell all workers to stop, and to drop what they work on.

        Raises
        ------
        BrokerError
            The broker is gone.
        """
        self._dismissed = True
        self._announcer.say(Stop(), once=True)

    def close(self) -> None:
        """Dismiss the workers, and leave nothing on a broker that is not ours."""
        was_up = self._line.is_up
        # Before all is removed: a report that just comes in is put back by this.
        self._line.hang_up()
        with contextlib.suppress(BrokerError):
            if was_up and not self._dismissed:
                self.dismiss()
            if was_up and not self._broker.private:
                sweep(self._app, self._broker)
        self._announcer.close()

    # over the line -------------------------------------------------------------

    def _prepare(self, line: Line) -> None:
        line.declare(self._queues.tasks)
        line.listen(self._queues.reports, self._unread.append)
        if not self._broker.private:
            # One that died may remember tasks that were done since. What is taken for
            # lost by this is sent again.
            line.empty(self._queues.tasks)
        silent_s = self._clock() - self._heard_s
        self._heard_s += silent_s
        with self._lock:
            self._books.excuse(silent_s)

    def _send(self, line: Line, sending: str, task: Task) -> None:
        send(self._app, line, self._queues.tasks, sending, task)

    def _take_reports(self) -> None:
        bodies = self._unread[:]
        self._unread.clear()  # the line appends to this very list
        for body in bodies:
            try:
                reports = reports_from(body)
            except ValueError:
                continue  # nobody of ours wrote it
            with self._lock:
                for report in reports:
                    self._news += self._books.hear(report)

    def _reader(self, until_s: float) -> Callable[[Line], bool]:
        left_s = 0.0 if self._news else max(until_s - self._clock(), 0.0)
        return lambda line: line.read(min(left_s, TICK_S))

    def _look_for_the_lost(self) -> None:
        self._look_after_queue()
        with self._lock:
            suspicious = self._books.suspicious
        reports = self._queues.reports
        if suspicious and read_what_waits(
            self._line, reports, self._unread, self._take_reports
        ):
            with self._lock:
                self._news += self._books.overdue()

    # what waits in the queue ---------------------------------------------------

    def _look_after_queue(self) -> None:
        """Ask for its length if there is doubt; that keeps it from expiring, too."""
        now_s = self._clock()
        with self._lock:
            doubtful = self._books.unclaimed.doubtful
        asks = doubtful and now_s - self._asked_s >= ASK_S
        if not asks and now_s - self._asked_s < REDECLARE_S:
            return
        self._asked_s = now_s
        if self._line.use(lambda line: line.declare(self._queues.tasks)):
            self._wake_the_deaf()
        else:
            with self._lock:
                self._books.unclaimed.queue_is_empty()

    def _wake_the_deaf(self) -> None:
        with self._lock:
            deaf = self._books.deaf(DEAF_S)
        for worker in deaf:
            with contextlib.suppress(BrokerError):  # it is told the next time
                self._announcer.say(Restart(worker=worker))
