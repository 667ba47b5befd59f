"""What the launcher has to say to all workers."""

from __future__ import annotations

import threading

from celery import Celery

from trap_hpc.engines.broker import Broker
from trap_hpc.engines.celery.lasting import LastingLine
from trap_hpc.engines.celery.messages import Announcement, to_record
from trap_hpc.engines.celery.queues import make_queues


class Announcer:
    """Speaks over a connection of its own, from any thread."""

    def __init__(self, app: Celery, broker: Broker) -> None:
        self._queues = make_queues(broker)
        self._lock = threading.Lock()
        self._line = LastingLine(app)

    def say(self, announcement: Announcement, *, once: bool = False) -> None:
        """Say it; over a new connection if the old one has broken.

        ``once``: do not wait for a second answer of a broker that gives none.

        Raises
        ------
        BrokerError
            The broker is gone.
        """
        exchange, key = self._queues.announcements, self._queues.key
        record = to_record(announcement)
        with self._lock:
            tries = (0.0,) if once or not self._line.is_up else (0.0, 0.0)
            self._line.use(lambda line: line.send(record, exchange, key), tries)

    def close(self) -> None:
        """Say no more."""
        with self._lock:
            self._line.hang_up()
