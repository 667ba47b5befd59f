"""An engine that waits for a broker of the user's.

Such a broker is restarted by others, and comes back where it was. Workers go on with
what they have meanwhile, and keep their reports until it answers; so nothing is taken
for lost before the engine has heard from them again. The lease in the file goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from trap_hpc.engines.base import Finished, Outcome, RemoteEngine
from trap_hpc.errors import BrokerError
from trap_hpc.pipeline.tasks import Task
from trap_hpc.run.session.events import Post, Say
from trap_hpc.run.session.forwarding import ForwardingRemote
from trap_hpc.run.session.mending import BROKERS, MendedEngine

AWAY_S = 120.0
"""So long a broker may take to come back."""


def lasting_engine(
    connect: Callable[[], RemoteEngine],
    why_broken: Callable[[], str],
    url: str,
    *,
    post: Post,
    clock: Callable[[], float],
) -> RemoteEngine:
    """Open a broker; return an engine that outlives it.

    ``url`` names a broker of the user's; see `MendedEngine` for the rest.
    """
    if url:
        return PatientEngine(connect(), url, post=post, clock=clock)
    return MendedEngine(connect, why_broken, post)


class PatientEngine(ForwardingRemote):
    """A remote engine that outlives the absence of its broker."""

    def __init__(
        self,
        engine: RemoteEngine,
        where: str,
        *,
        post: Post,
        clock: Callable[[], float],
    ) -> None:
        """``where``: the broker's URL, without a password."""
        super().__init__(engine)
        self._where = where
        self._post = post
        self._clock = clock
        self._away_since_s: float | None = None
        self._absences = 0
        self._unsent: list[Task] = []

    @property
    def capacity(self) -> int:
        """How many tasks may be under way; none can be sent while it is away."""
        return self._engine.capacity if self._away_since_s is None else 0

    def start(self) -> None:
        """Nothing: it is connected from the beginning."""

    def submit(self, task: Task) -> None:
        """Deliver ``task`` to a worker, at most once, and now or later.

        Raises
        ------
        BrokerError
            The broker was away too often.
        """
        try:
            if self._away_since_s is None:
                self._engine.submit(task)
                return
        except BrokerError as error:
            self._miss(error)
        self._unsent.append(task)

    def outcomes(self, timeout_s: float) -> Sequence[Outcome]:
        """Wait until there is news, and return all of it.

        Raises
        ------
        BrokerError
            The broker was away for too long, or too often.
        """
        try:
            news = self._engine.outcomes(timeout_s)
            self._greet()
        except BrokerError as error:
            self._miss(error)
            return []
        if any(isinstance(outcome, Finished) for outcome in news):
            self._absences = 0
        return news

    def _miss(self, error: BrokerError) -> None:
        """Take note that it does not answer; let the error rise if that is the end."""
        now_s = self._clock()
        if self._away_since_s is None:
            self._away_since_s = now_s
            self._absences += 1
            if self._absences >= BROKERS:
                raise error
            self._post(
                Say(
                    f"the broker {self._where} does not answer; the run waits up to "
                    f"{AWAY_S:.0f} s for it to come back"
                )
            )
        if now_s - self._away_since_s >= AWAY_S:
            raise error

    def _greet(self) -> None:
        """Send what could not be sent, if it was away."""
        since_s, self._away_since_s = self._away_since_s, None
        if since_s is None:
            return
        self._post(
            Say(f"the broker answers again, after {self._clock() - since_s:.0f} s")
        )
        unsent, self._unsent = self._unsent, []
        for task in unsent:
            self.submit(task)
