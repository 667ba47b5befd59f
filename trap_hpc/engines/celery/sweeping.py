"""Leaving nothing on a broker that is not ours."""

from __future__ import annotations

from dataclasses import replace

from celery import Celery

from trap_hpc.engines.broker import Broker
from trap_hpc.engines.celery.lasting import LastingLine
from trap_hpc.engines.celery.line import Line
from trap_hpc.engines.celery.queues import is_redis, key_prefix, make_queues


def sweep(app: Celery, broker: Broker) -> None:
    """Remove the queues of a session, and whatever its run still has there.

    An earlier session may not have been able to: launcher and broker were both gone.

    Raises
    ------
    BrokerError
        The broker is gone.
    """

    def remove(line: Line) -> None:
        for epoch in range(1, broker.epoch + 1):
            queues = make_queues(replace(broker, epoch=epoch))
            line.remove(queues.tasks)
            line.remove(queues.reports)
        if is_redis(broker):
            line.remove_keys(key_prefix(broker))

    broom = LastingLine(app)
    broom.use(remove, (0.0,))
    broom.hang_up()
