"""Hearing what the launcher announces to all workers."""

from __future__ import annotations

from celery import Celery

from trap_hpc.engines.broker import Broker
from trap_hpc.engines.celery.line import Line
from trap_hpc.engines.celery.messages import Announcement, announcement_from
from trap_hpc.engines.celery.queues import make_queues


class Ear:
    """A connection that hears announcements. What goes wrong with it raises."""

    def __init__(self, app: Celery, broker: Broker) -> None:
        self._heard: list[Announcement] = []
        self._line = Line(app)
        self._line.listen(make_queues(broker).ear(), self._hear)
        self._line.spare()

    def hear(self, timeout_s: float) -> list[Announcement]:
        """Wait for announcements, at most ``timeout_s``, and return them."""
        self._line.read(timeout_s)
        heard, self._heard = self._heard, []
        return heard

    def close(self) -> None:
        """Hear no more."""
        self._line.close()

    def _hear(self, body: object) -> None:
        try:
            self._heard.append(announcement_from(body))
        except ValueError:
            return  # nobody of ours said it
