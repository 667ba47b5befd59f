"""Many workers' side of a broker, in one process: ``python -m benchmarks.reporters``.

``BROKER WORKERS``: the workers say every few seconds that they live, and do any task in
no time. It says when all of them have reported, and ends with its standard input.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from contextlib import suppress
from itertools import cycle
from pathlib import Path

from kombu import Consumer

from trap_hpc.engines.broker import Broker, read_broker
from trap_hpc.engines.celery.app import make_app
from trap_hpc.engines.celery.line import Line
from trap_hpc.engines.celery.messages import Done, Here, Report, Taken, to_record
from trap_hpc.engines.celery.queues import make_queues
from trap_hpc.pipeline.tasks import Receipt

AT_A_TIME = 200
"""Tasks in a row before it is time to look whether somebody should report."""


class Reporters:
    """Workers of one slot each."""

    def __init__(self, broker: Broker, workers: int) -> None:
        app = make_app(broker, broker.addresses[0])
        self._queues = make_queues(broker)
        self._beat_s = broker.beat_s
        self._names = [f"node{n % 50:03d}-{n}" for n in range(workers)]
        self._taken: deque[tuple[str, str]] = deque()
        self._held: dict[str, list[str]] = {name: [] for name in self._names}
        self._next = cycle(self._names)
        self._line = Line(app)
        self._tasks_line = Line(app)
        channel = self._tasks_line._channel  # noqa: SLF001  the message is wanted whole
        consumer = Consumer(channel, [self._queues.tasks], no_ack=True)
        consumer.register_callback(lambda _, m: self._take(m.headers["id"]))
        consumer.consume()

    def work(self, ended: threading.Event) -> None:
        """Report, and do tasks, until the end."""
        for name in self._names:
            self._say(self._here(name))
        print("all in", flush=True)
        began_s, said, names = time.monotonic(), 0, cycle(self._names)
        while not ended.is_set():
            due = (time.monotonic() - began_s) / self._beat_s * len(self._names)
            while said < due:
                self._say(self._here(next(names)))
                said += 1
            self._tasks_line.read(0.01)
            for _ in range(min(len(self._taken), AT_A_TIME)):
                self._finish(*self._taken.popleft())

    def _take(self, sending: str) -> None:
        """Claim a task at once: who took it and does not say so is given up."""
        name = next(self._next)
        self._say(Taken(worker=name, id=sending))
        self._held[name].append(sending)
        self._taken.append((name, sending))

    def _finish(self, name: str, sending: str) -> None:
        receipt = Receipt(
            file=f"measure-1-{sending[:6]}.1.h5",
            checksum=sending,
            items=20,
            seconds=1.5,
        )
        self._held[name].remove(sending)
        self._say(Done(worker=name, id=sending, receipt=receipt))

    def _say(self, report: Report) -> None:
        self._line.send([to_record(report)], None, self._queues.reports.name)

    def _here(self, name: str) -> Here:
        return Here(
            worker=name,
            job=name.replace("-", "_"),
            node=name.partition("-")[0],
            slots=1,
            address="127.0.0.1",
            held=tuple(self._held[name]),
        )


def main() -> None:
    path, workers = sys.argv[1:]
    ended = threading.Event()

    def wait_for_the_end() -> None:
        with suppress(OSError):
            sys.stdin.read()
        ended.set()

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    Reporters(read_broker(Path(path)), int(workers)).work(ended)


if __name__ == "__main__":
    main()
