"""The engine that a driver gets on a cluster: it works, and is looked after.

All that is said to the user or raised goes through here, in the driver's own thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue

from trap_hpc.engines.base import Member, Outcome, RemoteEngine
from trap_hpc.engines.deadline import TimeLeft
from trap_hpc.errors import RunError
from trap_hpc.run.progress import Staff
from trap_hpc.run.session import words
from trap_hpc.run.session.crew import Crew
from trap_hpc.run.session.events import (
    Ended,
    Ends,
    Event,
    Fatal,
    Interrupted,
    Say,
    StopAsked,
    Suspended,
)
from trap_hpc.run.session.forwarding import Forwarding
from trap_hpc.run.session.stopping import stopped_by

COUNT_EVERY_S = 1.0
SURE_AFTER_S = 2.0
"""Last reports may still be on their way when the last worker has left."""


class WatchedEngine(Forwarding[RemoteEngine]):
    """A remote engine, together with the jobs that its workers are in."""

    def __init__(
        self,
        engine: RemoteEngine,
        crew: Crew,
        events: SimpleQueue[Event],
        *,
        say: Callable[[str], None],
        clock: Callable[[], float],
        check: Callable[[], None] = lambda: None,
    ) -> None:
        """``check`` raises if somebody has taken the session for dead and ended it."""
        super().__init__(engine)
        self._crew = crew
        self._events = events
        self._say = say
        self._clock = clock
        self._check = check
        self._count_at_s = clock()
        self._hopeless_since_s: float | None = None
        self._members: Sequence[Member] = ()
        self.work_left_s: Callable[[], float | None] = lambda: None
        """How long the work will take, if anybody knows."""

    def start(self) -> None:
        """Nothing: the session has brought the engine up."""

    def outcomes(self, timeout_s: float) -> Sequence[Outcome]:
        """Wait for news, and see to what happened to jobs and workers.

        Raises
        ------
        RunError
            No worker is left, and none will come; or the broker is gone for good.
        KeyboardInterrupt
            The run was asked to stop.
        """
        self._hear()
        news = self._engine.outcomes(timeout_s)
        # Who brings the first news is counted at once: all may be done within a second.
        if self._clock() >= self._count_at_s or (news and not self._members):
            self._count()
        # With nothing to wait for, the driver does not need any worker.
        if timeout_s > 0 and not news:
            self._give_up_without_hope()
        return news

    def close(self) -> None:
        """Nothing: the session takes the engine down."""

    def staff(self) -> Staff:
        """Return who works, for those who watch."""
        return self._crew.staff()

    def failed(self) -> tuple[str, ...]:
        """Return the jobs whose logs may say why."""
        return self._crew.failed()

    def tell_the_rest(self) -> None:
        """Say what nobody has heard yet."""
        while (event := self._next()) is not None:
            if isinstance(event, Say | Fatal):
                self._say(event.text)

    def _count(self) -> None:
        self._count_at_s = self._clock() + COUNT_EVERY_S
        self._members = self._engine.members()
        self._crew.count(self._members)
        self._crew.relieve(self.work_left_s())
        self._hear()

    def _hear(self) -> None:
        while (event := self._next()) is not None:
            self._take(event)

    def _next(self) -> Event | None:
        try:
            return self._events.get_nowait()
        except Empty:
            return None

    def _take(self, event: Event) -> None:
        match event:
            case Say():
                self._say(event.text)
            case Fatal():
                raise RunError(event.text)
            case StopAsked():
                raise stopped_by(event.by)
            case Interrupted():
                raise KeyboardInterrupt(event.signal)
            case Ended():
                self._engine.forget(event.jobs)
                self._crew.replace(event.jobs)
            case Ends():
                self._tell_ends(event.jobs)
            case Suspended():
                self._resume(event.seconds)

    def _tell_ends(self, jobs: Sequence[TimeLeft]) -> None:
        unknowing = {each.job for each in self._members if each.left_s is None}
        if told := [each for each in jobs if each.job in unknowing]:
            self._engine.tell_ends(told)

    def _resume(self, seconds: float) -> None:
        """Go on after a long silence: all workers have given us up by now."""
        self._check()
        jobs = {each.job for each in (*self._members, *self._engine.members())}
        self._say(
            f"nobody heard of the launcher for {seconds:.0f} s, which is longer than "
            f"its lease (was it suspended?): "
            f"{words.count(len(jobs), 'job')} gave it up; their work is done again"
        )
        self._engine.forget(jobs)
        self._crew.gave_up(jobs)

    def _give_up_without_hope(self) -> None:
        if self._members or not (why := self._crew.hopeless()):
            self._hopeless_since_s = None
            return
        since_s = self._hopeless_since_s
        self._hopeless_since_s = self._clock() if since_s is None else since_s
        if self._clock() - self._hopeless_since_s >= SURE_AFTER_S:
            raise RunError(why)
