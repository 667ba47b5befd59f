"""Making sure that nothing waits to be read, before somebody is given up."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kombu import Queue

from trap_hpc.engines.celery.lasting import LastingLine

SILENCE_S = 0.5


def read_what_waits(
    line: LastingLine, queue: Queue, unread: Sequence[object], take: Callable[[], None]
) -> bool:
    """Read all that is in ``queue`` by now; return whether that was possible.

    `Line.read` thinks that it has read all when nothing comes for a moment. A busy
    broker needs longer, and then there may be thousands of messages that nobody has
    seen. What is read comes into ``unread``, which ``take`` empties.
    """
    waiting = line.use(lambda each: each.declare(queue))
    while True:
        line.use(lambda each: each.read(SILENCE_S))
        read = len(unread)
        take()
        waiting -= read
        # One more may have been on its way when they were counted.
        if not read or waiting < 0:
            return waiting <= 0
