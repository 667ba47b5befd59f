"""The life of a worker that was admitted, and its end."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

from trap_hpc.config.environment import astropy_offline
from trap_hpc.engines.broker import read_broker
from trap_hpc.engines.deadline import Deadline
from trap_hpc.engines.lease import read_beat
from trap_hpc.errors import BrokerError
from trap_hpc.worker.admission import Admitted, NotAdmittedError
from trap_hpc.worker.environment import note_restart
from trap_hpc.worker.place import Place
from trap_hpc.worker.roll import Roll
from trap_hpc.worker.rollcall import EXIT_DONE

if TYPE_CHECKING:
    from trap_hpc.engines.celery.worker import CeleryWorker

LOOK_S = 0.2
ANEW_S = 30.0
"""A worker that fails sooner would do so again and again."""
LAST_WORDS_S = 0.3
WARNED_EARLY_S = 130.0
"""Slurm warns a minute before the end, as it is asked to, or up to two (sbatch.1). A
worker that knows its end better, and agrees so far, goes on until there."""
FILE_S = 1.0
"""So often, at most, the lease file is read."""

log = logging.getLogger(__name__)


def serve(admitted: Admitted, place: Place, roll: Roll) -> None:
    """Work until the launcher, the lease, the scheduler or the walltime says stop.

    It returns only if Celery gives up, which it should not.

    Raises
    ------
    NotAdmittedError
        The lease never changed: nobody is there to work for.
    """
    # Heavy, and only for those who may work.
    from trap_hpc.engines.celery.messages import Here
    from trap_hpc.engines.celery.worker import CeleryWorker

    astropy_offline()
    _wait_for_beat(admitted)
    end = _End(roll)
    deadline = Deadline(place.left_s, time.monotonic)
    here = Here(
        worker=f"{place.job}.{os.getpid()}@{place.node}",
        job=place.job,
        node=place.node,
        slots=place.cores,
        address=admitted.address,
    )

    def forked() -> None:
        _watch_lease(admitted, end.leave)
        roll.say(state="connected")

    worker = CeleryWorker(
        admitted.broker,
        here,
        run=admitted.paths.directory,
        watch=admitted.watch,
        deadline=deadline,
        forked=forked,
        moved=lambda: _moved(admitted),
        leave=end.leave,
        again=end.start_anew,
    )
    end.worker = worker
    _answer_signals(worker, end, deadline)
    began_s = time.monotonic()
    worker.run()
    if time.monotonic() - began_s > ANEW_S:
        end.start_anew("Celery gave up")
    worker.mute()
    kill_children()


def _moved(admitted: Admitted) -> bool:
    """Whether there is another broker now than the one that we were admitted to."""
    try:
        return read_broker(admitted.paths.broker) != admitted.broker
    except BrokerError:
        return False  # there is none, or not yet


def _wait_for_beat(admitted: Admitted) -> None:
    """Wait until the lease changes, in the file or through the broker.

    No thread may be there yet: processes are still to be forked.
    """
    from trap_hpc.engines.celery.waiting import Waiting

    watch, paths, broker = admitted.watch, admitted.paths, admitted.broker
    watch.begin_anew()
    watch.see("file", read_beat(paths.lease, broker.epoch))
    with Waiting(broker, admitted.address) as waiting:
        while not watch.renewed:
            if watch.left_s <= 0:
                raise NotAdmittedError(
                    "late",
                    EXIT_DONE,
                    f"{paths.lease} stood still for {broker.lease_s:g} s: the launcher "
                    "is gone; there is nothing to do",
                )
            for beat in waiting.beats(LOOK_S):
                watch.see("broker", beat)
            watch.see("file", read_beat(paths.lease, broker.epoch))


def _watch_lease(admitted: Admitted, leave: Callable[[str], NoReturn]) -> None:
    """Start what ends the worker with the lease.

    One thread reads the file, and may hang with the file system; the other only looks
    at the clock.
    """
    watch, path, epoch = admitted.watch, admitted.paths.lease, admitted.broker.epoch
    watch.begin_anew()

    def read() -> None:
        while True:
            beat = read_beat(path, epoch)
            if beat is not None and beat.epoch != epoch:
                leave(f"session {epoch} has ended: {path} is of another one")
            watch.see("file", beat)
            time.sleep(min(FILE_S, watch.lease_s / 10))

    def count_down() -> None:
        while (left_s := watch.left_s) > 0:
            time.sleep(min(left_s, LOOK_S))
        leave(f"nothing was seen of the launcher for {watch.lease_s:g} s")

    for target in (read, count_down):
        threading.Thread(target=target, name=target.__name__, daemon=True).start()


class _End:
    """The ways in which a worker ends."""

    worker: CeleryWorker

    def __init__(self, roll: Roll) -> None:
        self._roll = roll

    def leave(self, why: str) -> NoReturn:
        """End at once, with all processes. Any thread may call it."""
        self._drop_all(f"ends: {why}", state="left", message=why)
        os._exit(EXIT_DONE)

    def start_anew(self, why: str) -> NoReturn:
        """End, and begin with the same command in the same job."""
        self._drop_all(f"starts anew: {why}", state="starting", message=why)
        note_restart()
        os.execv(sys.executable, sys.orig_argv)

    def _drop_all(self, line: str, **changes: str) -> None:
        """Kill all processes, and say why unless that takes long.

        Whatever is written may be on a file system that hangs.
        """
        self.worker.mute()
        kill_children()

        def say() -> None:
            log.info("%s", line)
            self._roll.say(**changes)

        words = threading.Thread(target=say, daemon=True)
        words.start()
        words.join(LAST_WORDS_S)


def kill_children() -> None:
    """Kill all processes that we started."""
    import psutil

    for child in psutil.Process().children(recursive=True):
        child.kill()


def _answer_signals(worker: CeleryWorker, end: _End, deadline: Deadline) -> None:
    parent = os.getpid()

    def drop(number: int, _: object) -> None:
        if os.getpid() != parent:  # a process that has just been forked
            os._exit(EXIT_DONE)
        worker.last_words()
        end.leave(f"{signal.Signals(number).name}: drops what it has")

    def finish(number: int, _: object) -> None:
        if os.getpid() != parent:
            return
        log.info("%s: the job's time is nearly over", signal.Signals(number).name)
        left_s = deadline.left_s
        if left_s is None or left_s > WARNED_EARLY_S:
            worker.finish()

    signal.signal(signal.SIGTERM, drop)
    signal.signal(signal.SIGINT, drop)
    signal.signal(signal.SIGUSR1, finish)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
