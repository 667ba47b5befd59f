"""Doing what the launcher announces, in a thread of the worker's parent."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from typing import NoReturn

from celery import Celery

from trap_hpc.engines.broker import Broker
from trap_hpc.engines.celery.ear import Ear
from trap_hpc.engines.celery.line import errors
from trap_hpc.engines.celery.messages import Ends, Here, Lease, Restart, Stop
from trap_hpc.engines.deadline import Deadline, TimeLeft
from trap_hpc.engines.lease import LeaseWatch

HEAR_S = 1.0
MISSED_BEATS = 4

log = logging.getLogger(__name__)


class Listener:
    """Hears the launcher, for one worker. The other arguments are `CeleryWorker`'s."""

    def __init__(
        self,
        app: Celery,
        broker: Broker,
        here: Here,
        *,
        watch: LeaseWatch,
        deadline: Deadline,
        moved: Callable[[], bool],
        leave: Callable[[str], NoReturn],
        again: Callable[[str], NoReturn],
    ) -> None:
        self._app = app
        self._broker = broker
        self._here = here
        self._watch = watch
        self._deadline = deadline
        self._moved = moved
        self._leave = leave
        self._again = again
        self._heard_s = 0.0

    def run(self) -> None:
        """Hear announcements, whatever the connection does."""
        self._heard_s = time.monotonic()
        broken = errors(self._app)
        ear: Ear | None = None
        while True:
            try:
                ear = ear or Ear(self._app, self._broker)
                self._heed(ear)
            except broken as error:
                log.warning("hears nothing from the launcher, trying on: %s", error)
                if ear is not None:
                    ear.close()
                ear = None
                self._heard_s = time.monotonic()  # not deaf: there is nothing to hear
                time.sleep(HEAR_S)
                self._follow()
            self._fear_deafness()

    def _heed(self, ear: Ear) -> None:
        """Do as announced."""
        for announcement in ear.hear(HEAR_S):
            self._heard_s = time.monotonic()
            match announcement:
                case Lease(beat=beat):
                    self._watch.see("broker", beat)
                case Stop():
                    self._leave("the launcher says stop")
                case Restart(worker=self._here.worker):
                    self._again("tasks wait, and it took none")
                case Ends(jobs=jobs):
                    self._learn_end(jobs)
                case Restart():
                    pass

    def _learn_end(self, jobs: Iterable[TimeLeft]) -> None:
        for each in jobs:
            if each.job == self._here.job:
                log.info("its job ends in %.0f s", each.seconds)
                self._deadline.learn(each.seconds)

    def _follow(self) -> None:
        """Start anew if there is another broker in the place of this one."""
        if self._moved():
            self._again("the launcher has started another broker")

    def _fear_deafness(self) -> None:
        """Start anew if the launcher lives, by the lease file, but is not heard."""
        silent_s = time.monotonic() - self._heard_s
        limit_s = max(self._watch.lease_s / 2, MISSED_BEATS * self._broker.beat_s)
        if silent_s > limit_s and self._watch.seen_s < limit_s / 2:
            self._again(f"heard nothing through the broker for {silent_s:.0f} s")
