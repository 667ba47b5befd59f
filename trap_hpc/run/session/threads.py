"""Threads that do one thing again and again beside the driver."""

from __future__ import annotations

import threading
from collections.abc import Callable

from trap_hpc.run.session.events import Fatal, Post


class Repeating:
    """Calls ``work`` again and again; it returns how many seconds to wait for that."""

    def __init__(
        self,
        name: str,
        work: Callable[[], float],
        post: Post,
        *,
        clock: Callable[[], float],
        overslept: Callable[[float], None] = lambda _: None,
    ) -> None:
        """``overslept`` hears how much longer a wait took than it should have."""
        self._work = work
        self._post = post
        self._clock = clock
        self._overslept = overslept
        self._ended = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Do not wait any longer."""
        self._wake.set()

    def stop(self, timeout_s: float = 5.0) -> None:
        """End it; what hangs in a call is left behind."""
        self._ended.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            while not self._ended.is_set():
                self._rest(self._work())
        except Exception as error:  # noqa: BLE001  nobody else would hear of it
            name = self._thread.name
            self._post(Fatal(f"{name} failed: {type(error).__name__}: {error}"))

    def _rest(self, wait_s: float) -> None:
        began_s = self._clock()
        self._wake.wait(wait_s)
        self._wake.clear()
        if (over_s := self._clock() - began_s - wait_s) > 0:
            self._overslept(over_s)
