"""Tasks that were sent and that no worker has claimed yet.

Most of them wait in the queue. But a worker may die after it has taken a task and
before it could say so; and a message whose sending failed may never have arrived. Such
a task is known by two signs: younger ones were claimed, and tasks leave the queue in
their order; or the queue is empty. After either sign a worker has some seconds left to
claim it, for its report may still be under way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile

CLAIM_S = 3.0
"""So long a worker may need to say that it has taken a task."""


@dataclass(slots=True)
class _Sent:
    number: int
    sent_s: float
    passed_s: float | None = None
    """Since when it should have been claimed."""


class Unclaimed:
    """Such tasks, by the ids of their sendings, in the order of sending."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._sent: dict[str, _Sent] = {}
        self._number = 0
        self._passed_before = 0

    def add(self, sending: str) -> None:
        """Note that it is sent now."""
        self._number += 1
        self._sent[sending] = _Sent(self._number, self._clock())

    def discard(self, sending: str) -> None:
        """Expect no claim any more."""
        self._sent.pop(sending, None)

    def claimed(self, sending: str) -> None:
        """Note that a worker has it: it has left the queue, and older ones before."""
        claimed = self._sent.pop(sending, None)
        if claimed is not None:
            self._pass_before(claimed.number)

    def queue_is_empty(self) -> None:
        """Note that: all of them have been taken."""
        self._pass_before(self._number + 1)

    def excuse(self, silence_s: float) -> None:
        """Allow for a silence, in which no claim could be heard."""
        for sent in self._sent.values():
            if sent.passed_s is not None:
                sent.passed_s += silence_s

    @property
    def doubtful(self) -> bool:
        """Whether it is worth asking if one of them still is in the queue."""
        in_queue = (each for each in self._sent.values() if each.passed_s is None)
        oldest = next(in_queue, None)
        return oldest is not None and oldest.sent_s < self._clock() - CLAIM_S

    @property
    def overdue(self) -> Sequence[str]:
        """Those that somebody took who never said so."""
        limit_s = self._clock() - CLAIM_S
        # Younger ones are never passed before older ones.
        passed = takewhile(
            lambda item: item[1].passed_s is not None and item[1].passed_s < limit_s,
            self._sent.items(),
        )
        return [sending for sending, _ in passed]

    @property
    def waiting_s(self) -> float:
        """How long the oldest has been waiting; 0 if there is none."""
        oldest = next(iter(self._sent.values()), None)
        return self._clock() - oldest.sent_s if oldest else 0.0

    def _pass_before(self, number: int) -> None:
        """Note that older ones should have been claimed, if that is not known yet."""
        if number <= self._passed_before:
            return
        for sent in self._sent.values():
            if sent.number >= number:
                break
            if sent.passed_s is None:
                sent.passed_s = self._clock()
        self._passed_before = number
