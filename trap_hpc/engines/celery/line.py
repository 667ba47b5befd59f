"""One connection to the broker, for one thread, and what is done over it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from celery import Celery
from kombu import Connection, Consumer, Exchange, Producer, Queue
from kombu.exceptions import OperationalError

TRANSIENT = 1
"""The broker need not write it to disk."""
AT_A_TIME = 1000
"""So many messages are read before somebody looks at them."""
AT_ONCE_S = 0.001
"""A message that is there already is read within this."""


class Line:
    """An open connection. What goes wrong over it raises one of `broken`."""

    def __init__(self, app: Celery) -> None:
        """Connect."""
        url = app.conf.broker_url
        # Heartbeats would have to be looked after, and we may be busy elsewhere.
        self._connection: Connection = app.connection_for_write(url, heartbeat=0)
        try:
            # Who uses the line tries again, and knows when that makes no sense.
            self._connection.ensure_connection(max_retries=1, interval_start=0)
            self._channel = self._connection.default_channel
            self.producer = Producer(self._channel, serializer="json")
        except BaseException:
            self.close()
            raise

    def listen(self, queue: Queue, hear: Callable[[Any], None]) -> None:
        """Pass what comes in ``queue`` to ``hear``, while `read` runs."""
        consumer = Consumer(
            self._channel,
            [queue],
            no_ack=True,
            accept=["json"],
            on_decode_error=lambda message, error: None,
        )
        consumer.register_callback(lambda body, message: hear(body))
        consumer.consume()

    def spare(self) -> None:
        """Give up connections that are open only because they were needed before."""
        spare(self._channel)

    def read(self, timeout_s: float) -> bool:
        """Wait until something comes in, at most ``timeout_s``, and read it.

        Return whether that was all: there may be very much of it.
        """
        try:
            self._connection.drain_events(timeout=max(timeout_s, AT_ONCE_S))
            for _ in range(AT_A_TIME):
                self._connection.drain_events(timeout=AT_ONCE_S)
        except TimeoutError:
            return True
        return False

    def send(self, body: object, exchange: Exchange | None, key: str) -> None:
        """Send ``body``, once; without an exchange to the queue called ``key``."""
        self.producer.publish(
            body,
            exchange=exchange or "",
            routing_key=key,
            delivery_mode=TRANSIENT,
            # On Redis, who sends must know what kind of exchange it is.
            declare=[exchange] if exchange else [],
        )

    def declare(self, queue: Queue) -> int:
        """Have ``queue`` there; return how many messages wait in it."""
        bound = queue(self._channel)
        answer: Any = bound.queue_declare()
        return int(answer.message_count)

    def empty(self, queue: Queue) -> None:
        """Throw away what waits in ``queue``."""
        queue(self._channel).purge()

    def remove(self, queue: Queue) -> None:
        """Delete ``queue`` and what is in it."""
        queue(self._channel).delete()

    def remove_keys(self, prefix: str) -> None:
        """Delete all keys of a Redis server that begin with ``prefix``."""
        # The channel's own client still waits for a message, and takes its for ours.
        with self._channel.conn_or_acquire() as client:  # type: ignore[attr-defined]
            for key in list(client.scan_iter(match=f"{prefix}*", count=1000)):
                client.delete(key.decode().removeprefix(prefix))  # which is put there

    def close(self) -> None:
        """Disconnect; nothing is said if that fails."""
        with contextlib.suppress(*broken(self._connection)):
            self._connection.release()


def spare(channel: Any) -> None:
    """Close what a Redis channel has open and does not use; it opens it when it must.

    A worker is one of many, and each of its channels would keep a connection more than
    it uses.
    """
    for pool in filter(None, map(vars(channel).get, ("_pool", "_async_pool"))):
        pool.disconnect(inuse_connections=False)


def put_nothing_back(channel: Any) -> None:
    """Let a Redis channel forget what it has when its connection breaks.

    It would send that again, which is for the driver to decide; and if that fails, it
    would write it to a file in ``/tmp``.
    """
    if hasattr(channel, "do_restore"):
        channel.do_restore = False


def broken(connection: Connection) -> tuple[type[BaseException], ...]:
    """Return what may be raised when a broker is not there, or not as it was."""
    return (
        OperationalError,
        OSError,
        *connection.connection_errors,
        *connection.channel_errors,
    )


def errors(app: Celery) -> tuple[type[BaseException], ...]:
    """Return what may be raised over any line of ``app``."""
    return broken(app.connection_for_write(app.conf.broker_url))
