"""Leaving nothing on a broker that is not ours."""

from __future__ import annotations

from celery import Celery

from trap_hpc.engines.broker import Broker
from trap_hpc.engines.celery.lasting import LastingLine
from trap_hpc.engines.celery.line import Line
from trap_hpc.engines.celery.queues import is_redis, key_prefix, make_queues


def sweep(app: Celery, broker: Broker) -> None:
    """Remove the queues of a session, and on Redis all keys of its run.

    Raises
    ------
    BrokerError
        The broker is gone.
    """
    queues = make_queues(broker)

    def remove(line: Line) -> None:
        line.remove(queues.tasks)
        line.remove(queues.reports)
        if is_redis(broker):
            line.remove_keys(key_prefix(broker))

    broom = LastingLine(app)
    broom.use(remove, (0.0,))
    broom.hang_up()
