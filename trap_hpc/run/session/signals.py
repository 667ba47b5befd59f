"""Signals that end a session: Ctrl-C, a polite kill, a terminal that went away."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
AGAIN_AFTER_S = 5.0
"""A signal that was swallowed somewhere, in a finaliser say, is heard again."""
PATIENCE = "ending the jobs, a moment"


class Interrupts:
    """Turns the first signal into an exception, and those that follow into words."""

    def __init__(
        self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._say = say
        self._clock = clock
        self.note: Callable[[str], None] = lambda name: None
        """Told the name of the signal that rises: the exception may be swallowed, in a
        finaliser say. It must be safe to call at any moment."""
        self._raised_s: float | None = None
        self._held = False

    def hold(self) -> None:
        """From now on nothing is interrupted: jobs are being ended."""
        self._held = True

    def hear(self, number: int, frame: FrameType | None = None) -> None:
        """Take a signal; the first one rises where the main thread happens to be.

        Raises
        ------
        KeyboardInterrupt
            With the signal's name.
        """
        now = self._clock()
        lately = self._raised_s is not None and now - self._raised_s < AGAIN_AFTER_S
        if self._held or lately:
            # What prints may be interrupted in the middle of printing.
            with suppress(RuntimeError):
                self._say(PATIENCE)
            return
        self._raised_s = now
        name = signal.Signals(number).name
        self.note(name)
        raise KeyboardInterrupt(name)


@contextmanager
def interrupts(say: Callable[[str], None]) -> Iterator[Interrupts]:
    """Hear signals within this context; outside the main thread there are none.

    A signal that is ignored (`nohup` ignores SIGHUP) stays ignored.
    """
    heard = Interrupts(say)
    if threading.current_thread() is not threading.main_thread():
        yield heard
        return
    before = {number: signal.getsignal(number) for number in ENDING}
    ours = [n for n, handler in before.items() if handler is not signal.SIG_IGN]
    try:
        for number in ours:
            signal.signal(number, heard.hear)
        yield heard
    finally:
        for number in ours:
            signal.signal(number, before[number] or signal.SIG_DFL)
