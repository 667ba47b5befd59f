"""Batches under way, each in one or more tasks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from trap_hpc.pipeline.tasks import Task
from trap_hpc.run.sendings import Sending

COPIES = 3
"""On so many workers, at most, one batch is tried at the same time."""


class UnderWay:
    """Which batch is in which task. A batch ends with the first task that does it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._batches: dict[int, Sending] = {}
        self._sent_s: dict[int, float] = {}
        self._tasks: dict[Task, int] = {}

    def __len__(self) -> int:
        """Count the batches."""
        return len(self._batches)

    @property
    def tasks(self) -> int:
        """How many tasks are with the engine, also of batches that have ended."""
        return len(self._tasks)

    def sent(self, task: Task, sending: Sending) -> None:
        """Note that a batch is sent, for the first time or again."""
        self._batches[sending.batch] = sending
        self._sent_s[sending.batch] = self._clock()
        self._tasks[task] = sending.batch

    def returned(self, task: Task) -> Sending | None:
        """Take a task that has ended; None if its batch has ended before."""
        return self._batches.get(self._tasks.pop(task))

    def now(self, sending: Sending) -> Sending | None:
        """Return what has become of a batch by now; None if it has ended."""
        return self._batches.get(sending.batch)

    def update(self, sending: Sending) -> bool:
        """Keep what has become of a batch, if another task still tries it."""
        tried = sending.batch in self._tasks.values()
        if tried:
            self._batches[sending.batch] = sending
        return tried

    def end(self, sending: Sending) -> None:
        """Nobody waits for it any more."""
        del self._batches[sending.batch]
        del self._sent_s[sending.batch]

    def late(self, patience_s: Callable[[Sending], float]) -> Iterator[Sending]:
        """Yield batches that are longer under way than one has patience for.

        The more workers try a batch, the more patience it gets.
        """
        copies = Counter(self._tasks.values())
        for number, sending in self._batches.items():
            tried = copies[number]
            waits_s = self._clock() - self._sent_s[number]
            # Nobody tries a batch whose file is told of, and to be seen any moment.
            if 0 < tried < COPIES and waits_s > tried * patience_s(sending):
                yield sending
