"""Threads that do one thing again and again beside the driver."""

from __future__ import annotations

import threading
from collections.abc import Callable

from trap_hpc.run.session.events import Fatal, Post


class Repeating:
    """Calls ``work`` again and again; it returns how many seconds to wait for that."""

    def __init__(self, name: str, work: Callable[[], float], post: Post) -> None:
        self._work = work
        self._post = post
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
                self._wake.wait(self._work())
                self._wake.clear()
        except Exception as error:  # noqa: BLE001  nobody else would hear of it
            name = self._thread.name
            self._post(Fatal(f"{name} failed: {type(error).__name__}: {error}"))
