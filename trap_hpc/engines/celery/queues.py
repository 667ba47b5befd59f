"""Where a session's messages go, on Redis and RabbitMQ alike.

Tasks wait in one queue. Workers report in another one, which the launcher reads. What
the launcher has to say to all workers is heard by each in a queue of its own, which
ends with its connection.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from kombu import Exchange, Queue

from trap_hpc.engines.broker import Broker

EXPIRES_S = 600.0
"""On a broker that is not ours, what a dead run left there vanishes after so long."""
MISSED = 100
"""So many announcements wait for a worker that does not listen; older ones are gone."""
WEEK_MS = 7 * 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Queues:
    """A session's queues."""

    tasks: Queue
    reports: Queue
    announcements: Exchange
    key: str
    """With which announcements are sent."""

    def ear(self) -> Queue:
        """Return a new queue to hear announcements by; it ends with its connection."""
        return Queue(
            f"{self.tasks.name}.ear.{uuid4().hex}",
            exchange=self.announcements,
            routing_key=self.key,
            durable=False,
            exclusive=True,
            auto_delete=True,
            max_length=MISSED,
        )


def make_queues(broker: Broker) -> Queues:
    """Return the queues of the session that uses ``broker``."""
    if is_redis(broker):
        announcements = Exchange(f"{broker.queue}.announcements", type="fanout")
    else:
        # It is there in every RabbitMQ, so it need not be removed, and it gives a
        # message to all queues that wait for its key.
        announcements = Exchange("amq.direct", type="direct")
    return Queues(
        tasks=_queue(broker, broker.queue),
        reports=_queue(broker, f"{broker.queue}.reports"),
        announcements=announcements,
        key=f"{broker.queue}.announcements",
    )


def is_redis(broker: Broker) -> bool:
    """Whether it speaks Redis, as opposed to AMQP."""
    return broker.scheme in ("redis", "rediss")


def key_prefix(broker: Broker) -> str:
    """Return how all our keys on a Redis server begin: others may have theirs there."""
    return f"{broker.run_id}:"


def _queue(broker: Broker, name: str) -> Queue:
    """Describe a queue that is reached by its name alone, with no exchange to leave."""
    arguments: dict[str, Any] = {}
    if not is_redis(broker):
        # A task may wait longer at a worker than the usual 30 min. Since RabbitMQ 3.12.
        arguments["x-consumer-timeout"] = WEEK_MS
    return Queue(
        name,
        exchange=Exchange(""),
        routing_key=name,
        expires=None if broker.private else EXPIRES_S,
        queue_arguments=arguments,
    )
