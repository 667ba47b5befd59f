"""A worker's reports on their way to the launcher: in order, and none forgotten."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from celery import Celery

from trap_hpc.engines.broker import Broker
from trap_hpc.engines.celery.lasting import LastingLine
from trap_hpc.engines.celery.line import Line
from trap_hpc.engines.celery.messages import Here, Left, Report, Taken, to_record
from trap_hpc.engines.celery.queues import make_queues
from trap_hpc.engines.deadline import Deadline
from trap_hpc.errors import BrokerError

RETRY_S = 0.5

log = logging.getLogger(__name__)


class Outbox:
    """Sends reports from a thread of its own, and a sign of life in between.

    What can't be sent is tried again for as long as it takes, so a report may arrive
    twice. The sign of life lists the tasks that the worker has by all it has reported:
    should a report get lost with a broker, the launcher learns of it from that list.
    """

    def __init__(
        self,
        app: Celery,
        broker: Broker,
        here: Here,
        deadline: Deadline,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._broker = broker
        self._here = here
        self._deadline = deadline
        self._clock = clock
        self._reports_to = make_queues(broker).reports
        self._waiting: queue.SimpleQueue[Report] = queue.SimpleQueue()
        self._held: dict[str, None] = {}
        self._beat_at_s = clock()
        self._line = LastingLine(app, self._prepare)
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def put(self, report: Report) -> None:
        """Send ``report`` after all others. Any thread may do so; it never waits."""
        self._waiting.put(report)

    def leave(self, timeout_s: float) -> None:
        """Say as the last thing that the worker ends; wait until it is said."""
        self.put(Left(worker=self._here.worker))
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        left = False
        while not left:
            reports = self._next()
            left = any(isinstance(report, Left) for report in reports)
            if reports:
                self._deliver([to_record(report) for report in reports])

    def _next(self) -> list[Report]:
        """Wait for a report, or until it is time for a sign of life."""
        reports: list[Report] = []
        try:
            wait_s = max(self._beat_at_s - self._clock(), 0.0)
            reports.append(self._waiting.get(timeout=wait_s or 0.001))
            while True:
                reports.append(self._waiting.get_nowait())
        except queue.Empty:
            pass
        for report in reports:
            self._note(report)
        reports = [report for report in reports if not isinstance(report, Here)]
        if self._clock() >= self._beat_at_s:
            self._beat_at_s = self._clock() + self._broker.beat_s
            held, left_s = tuple(self._held), self._deadline.left_s
            reports.append(replace(self._here, held=held, left_s=left_s))
        return reports

    def _note(self, report: Report) -> None:
        if isinstance(report, Taken):
            self._held[report.id] = None
        elif isinstance(report, Here):  # something has changed: say so at once
            self._here = report
            self._beat_at_s = self._clock()
        elif not isinstance(report, Left):
            self._held.pop(report.id, None)

    def _deliver(self, records: list[dict[str, object]]) -> None:
        name, ailing = self._reports_to.name, False
        while True:
            try:
                self._line.use(lambda line: line.send(records, None, name), (0.0,))
                return
            except BrokerError as error:
                if not ailing:
                    log.warning("can't report to the launcher, trying on: %s", error)
                ailing = True
                time.sleep(RETRY_S)

    def _prepare(self, line: Line) -> None:
        line.declare(self._reports_to)
        line.spare()
