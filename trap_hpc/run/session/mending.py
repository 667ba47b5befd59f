"""An engine that outlives its broker.

Nothing of value is in a private broker. If it dies, an empty one takes its place: what
had been sent is lost with the old one, says the engine, and the driver sends it again.
The workers find the new one by themselves, for its address is where the old one's was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from trap_hpc.engines.base import Finished, Lost, Outcome, RemoteEngine
from trap_hpc.errors import BrokerError
from trap_hpc.pipeline.tasks import Task
from trap_hpc.run.session import words
from trap_hpc.run.session.events import Post, Say
from trap_hpc.run.session.forwarding import ForwardingRemote

BROKERS = 10
"""So many may die without any work done in between, then something else is wrong."""


class MendedEngine(ForwardingRemote):
    """A remote engine with a new broker, and so a new self, when its broker dies."""

    def __init__(
        self,
        connect: Callable[[], RemoteEngine],
        why_broken: Callable[[], str],
        post: Post,
    ) -> None:
        """``connect`` opens a broker in the place of the last one, if any.

        ``why_broken`` says how a broker ended that can be replaced; empty if it has
        not, is none of ours, or could not be opened.
        """
        super().__init__(connect())
        self._connect = connect
        self._why_broken = why_broken
        self._post = post
        self._open: dict[Task, None] = {}
        self._broken = False
        self._died = 0

    def start(self) -> None:
        """Nothing: it is connected from the beginning."""

    def submit(self, task: Task) -> None:
        """Deliver ``task`` to a worker, at most once.

        Raises
        ------
        BrokerError
            The broker is gone, and can't be replaced.
        """
        self._open[task] = None
        try:
            if not self._broken:
                self._engine.submit(task)
        except BrokerError:
            self._break()

    def outcomes(self, timeout_s: float) -> Sequence[Outcome]:
        """Wait until there is news, and return all of it.

        Raises
        ------
        BrokerError
            The broker is gone, and can't be replaced.
        """
        try:
            news = [] if self._broken else self._engine.outcomes(timeout_s)
        except BrokerError:
            self._break()
            news = []
        if self._broken:
            return self._mend()
        for outcome in news:
            self._open.pop(outcome.task, None)
            if isinstance(outcome, Finished):
                self._died = 0
        return news

    def _break(self) -> None:
        """Take note that the broker is gone; let the error rise if that is the end."""
        why = self._why_broken()
        self._died += 1
        if not why or self._died >= BROKERS:
            raise  # noqa: PLE0704
        self._broken = True
        lost = words.count(len(self._open), "task")
        self._post(
            Say(f"{why}; another broker takes its place, {lost} will be sent again")
        )

    def _mend(self) -> Sequence[Outcome]:
        self._engine.close()
        try:
            self._engine = self._connect()
        except BrokerError:
            self._break()  # it has died already
            return []
        self._broken = False
        lost, self._open = self._open, {}
        return [Lost(task=task, worker="the broker") for task in lost]
