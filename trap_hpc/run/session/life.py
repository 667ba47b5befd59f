"""One session of a run on a cluster: bringing it up and taking it down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from typing import Protocol

from trap_hpc.config.site import Site
from trap_hpc.engines.base import RemoteEngine
from trap_hpc.engines.broker import Broker, write_broker
from trap_hpc.paths import RunPaths
from trap_hpc.run.session.beginning import begun
from trap_hpc.run.session.crew import Crew
from trap_hpc.run.session.events import Event, Interrupted, Say
from trap_hpc.run.session.heart import Heart
from trap_hpc.run.session.jobwatch import JobWatch
from trap_hpc.run.session.lookout import Lookout
from trap_hpc.run.session.patience import lasting_engine
from trap_hpc.run.session.record import SessionRecord, require_unchanged, write_session
from trap_hpc.run.session.stopping import forget_request
from trap_hpc.run.session.teardown import Report, Teardown
from trap_hpc.run.session.threads import Repeating
from trap_hpc.run.session.watched import WatchedEngine
from trap_hpc.schedulers.base import JobRequest, Scheduler

LEAVING_S = 1.0
"""Workers that are told to stop at a good end are gone by then."""


class OpenBroker(Protocol):
    """A broker that is up."""

    @property
    def broker(self) -> Broker:
        """How to reach it."""

    @property
    def folder(self) -> Path | None:
        """Of a private one on this host, which is to be removed with it."""

    def alive(self) -> bool:
        """Whether it is still there, as far as is known."""

    def why_ended(self) -> str:
        """Say why it is no longer there."""

    def stop(self) -> None:
        """End it, if it is ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a session is made of. Nothing is up yet."""

    directory: Path
    epoch: int
    site: Site
    request: JobRequest
    """All jobs that are wanted."""
    scheduler: Scheduler
    open_broker: Callable[[], OpenBroker]
    engine: Callable[[Broker], RemoteEngine]


class Session:
    """One session. What `up` brought up, wholly or in part, `down` takes down."""

    def __init__(
        self,
        parts: Parts,
        *,
        say: Callable[[str], None],
        log: Callable[[str], None],
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._parts = parts
        self._paths = RunPaths(parts.directory)
        self._say = say
        self._log = log
        self._clock = clock
        self._sleep = sleep
        self._events: SimpleQueue[Event] = SimpleQueue()
        self._record: SessionRecord | None = None
        self._broker: OpenBroker | None = None
        self._engine: RemoteEngine | None = None
        self._watched: WatchedEngine | None = None
        self._threads: list[Repeating] = []
        self._heart = Heart(
            self._paths.lease,
            parts.epoch,
            lease_s=parts.site.lease_s,
            beat_s=parts.site.beat_s,
            post=self._events.put,
        )

    def up(self) -> WatchedEngine:
        """Bring up the broker and the engine, and submit the jobs.

        Raises
        ------
        RunError
            Something can't be brought up; the scheduler refuses the jobs.
        """
        parts = self._parts
        cluster = parts.scheduler.cluster()
        self._heart.start()  # before anybody may wonder whether the session lives
        self._note(begun(parts.request, parts.epoch, parts.site, cluster))
        self._engine = lasting_engine(
            self._connect,
            self._why_broken,
            parts.site.broker,
            post=self._events.put,
            clock=self._clock,
        )
        self._heart.start_broker(self._engine.renew)
        self._note(replace(self._known(), submitting=True))
        crew = self._crew()
        self._watched = WatchedEngine(
            self._engine,
            crew,
            self._events,
            say=self._say,
            clock=self._clock,
            check=lambda: require_unchanged(parts.directory, self._known()),
        )
        crew.submit()
        for thread in self._threads:
            thread.start()
        return self._watched

    def down(self, remark: str = "") -> Report | None:
        """End it all; None if nothing was up. ``remark``: how it ended, if not well."""
        for thread in self._threads:
            thread.stop(timeout_s=0)  # it may hang in a call to the scheduler
        if self._watched is not None:
            self._watched.tell_the_rest()
        if self._record is None:
            self._heart.stop()
            return None
        if self._watched is not None:
            self._record = replace(self._record, failed=self._watched.failed())
        report = self._teardown(self._record, gentle=not remark).run(remark)
        forget_request(self._paths)
        self._say(str(report))
        return report

    def _connect(self) -> RemoteEngine:
        """Open a broker, in the place of the last one if there was any."""
        before, self._broker = self._broker, None
        try:
            self._broker = broker = self._parts.open_broker()
            self._note(replace(self._known(), broker_folder=str(broker.folder or "")))
            engine = self._parts.engine(broker.broker)
            engine.start()
            write_broker(self._paths.broker, broker.broker)
            return engine
        finally:
            # Not earlier: without credentials a worker believes that the run is over.
            if before is not None:
                before.stop()

    def _why_broken(self) -> str:
        """Say how a broker of ours ended; empty: there is none that has."""
        broker = self._broker
        return "" if broker is None or broker.alive() else broker.why_ended()

    def tell(self, text: str) -> None:
        """Let the user know, from any thread, when the driver has a moment."""
        self._events.put(Say(text))

    def interrupted(self, signal: str) -> None:
        """Remember a signal, in case that what it raised is swallowed somewhere."""
        self._events.put(Interrupted(signal))  # safe within a signal's handler

    def _teardown(self, record: SessionRecord, *, gentle: bool) -> Teardown:
        engine, broker = self._engine, self._broker
        teardown = Teardown(
            directory=self._parts.directory,
            record=record,
            scheduler=self._parts.scheduler,
            clock=self._clock,
            sleep=self._sleep,
            say=self._say,
            log=self._log,
            end_lease=self._heart.stop,
            grace_s=LEAVING_S if gentle else 0.0,
        )
        if broker is not None:
            teardown.stop_broker = broker.stop
        if engine is not None:
            teardown.close_engine = engine.close
            if broker is not None and broker.alive():  # else nobody hears it
                teardown.dismiss = engine.dismiss
        return teardown

    def _crew(self) -> Crew:
        parts, post, broker = self._parts, self._events.put, self._broker
        assert broker is not None
        watch = JobWatch(
            parts.scheduler,
            parts.request.run_id,
            logs=self._paths.logs,
            poll_s=parts.site.poll_s,
            post=post,
            clock=self._clock,
        )
        asking = Repeating("asking the scheduler", watch.ask, post)

        def alarm() -> None:
            watch.hurry()
            asking.wake()

        lookout = Lookout(
            paths=self._paths,
            epoch=parts.epoch,
            port=broker.broker.port,
            post=post,
            clock=self._clock,
            alarm=alarm,
        )
        watch.excused = lookout.told_by_themselves
        looking = Repeating("looking about", lookout.look, post)
        self._threads = [asking, looking]
        return Crew(
            scheduler=parts.scheduler,
            request=parts.request,
            note=self._submitted,
            watch=watch,
            lookout=lookout,
            heart=self._heart,
            post=post,
            clock=self._clock,
        )

    def _submitted(self, ids: Sequence[str], jobs: int) -> None:
        known = self._known()
        self._note(replace(known, arrays=(*known.arrays, *ids), jobs=jobs))

    def _known(self) -> SessionRecord:
        assert self._record is not None
        return self._record

    def _note(self, record: SessionRecord) -> None:
        write_session(self._parts.directory, record)
        self._record = record
