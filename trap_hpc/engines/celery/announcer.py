"""What the launcher has to say to all workers."""

from __future__ import annotations

import threading

from celery import Celery

from trap_hpc.engines.broker import Broker
from trap_hpc.engines.celery.line import Line, errors, gone
from trap_hpc.engines.celery.messages import Announcement, to_record
from trap_hpc.engines.celery.queues import make_queues
from trap_hpc.errors import BrokerError


class Announcer:
    """Speaks over a connection of its own, from any thread."""

    def __init__(self, app: Celery, broker: Broker) -> None:
        self._app = app
        self._queues = make_queues(broker)
        self._errors = errors(app)
        self._lock = threading.Lock()
        self._line: Line | None = None

    def say(self, announcement: Announcement, *, once: bool = False) -> None:
        """Say it; over a new connection if the old one has broken.

        ``once``: do not wait for a second answer of a broker that gives none.

        Raises
        ------
        BrokerError
            The broker is gone.
        """
        with self._lock:
            for last_try in (once or self._line is None, True):
                try:
                    self._say(announcement)
                    return
                except self._errors as error:
                    self._hang_up()
                    if last_try:
                        raise BrokerError(gone(self._app, error)) from None

    def close(self) -> None:
        """Say no more."""
        with self._lock:
            self._hang_up()

    def _say(self, announcement: Announcement) -> None:
        if self._line is None:
            self._line = Line(self._app)
        queues = self._queues
        self._line.send(to_record(announcement), queues.announcements, queues.key)

    def _hang_up(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.close()
