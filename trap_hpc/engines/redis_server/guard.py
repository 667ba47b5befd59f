"""The guard: the private broker's parent, which ends it when the launcher has ended.

A process in a session of its own, so that nothing that a terminal sends reaches it.
From the launcher it holds a pipe. A word in it means: end the server now. Its end
means that the launcher is gone, however that happened: workers get a lease to notice,
then the server ends. Where the system can, the server dies with the guard.

SIGHUP and SIGINT mean the launcher, and are ignored. SIGTERM may come to all processes
of a batch job at once: a launcher that is still there has some seconds to take leave
of its workers through the broker.
"""

from __future__ import annotations

import math
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from trap_hpc import shell
from trap_hpc.engines.redis_server.folder import (
    GuardOrder,
    ServerFolder,
    read_order,
    remove_credentials,
    remove_folder,
    write_private,
)
from trap_hpc.errors import TrapHpcError

POLL_S = 0.25
PATIENCE_S = 3.0
"""For a server to end when it is asked to."""
LEAVE_S = 15.0
"""For a launcher to take leave after SIGTERM."""
PIPE = 0
"""Standard input."""


class Guard:
    """Watches one server."""

    def __init__(
        self, folder: ServerFolder, order: GuardOrder, clock: Callable[[], float]
    ) -> None:
        self._order = order
        self._clock = clock
        self._launcher_there = True
        self._hurried = False
        self._ends_s = math.inf
        write_private(folder.guard_id, f"{os.getpid()}\n")
        self._server = shell.start(
            order.argv, output=folder.log, folder=folder.path, dies_with_us=True
        )

    @property
    def launcher_there(self) -> bool:
        """Whether the pipe is open."""
        return self._launcher_there

    def hurry(self) -> None:
        """End as soon as the launcher has gone, and soon in any case."""
        self._hurried = True
        self._end_within(LEAVE_S if self._launcher_there else 0.0)

    def _end_within(self, left_s: float) -> None:
        self._ends_s = min(self._ends_s, self._clock() + left_s)

    def watch(self) -> int | None:
        """Return when it is time to end: the server's exit code if it ended first."""
        while self._server.poll() is None:
            if self._clock() >= self._ends_s or self._asked_to_end():
                return None
        return self._server.returncode

    def _asked_to_end(self) -> bool:
        """Listen for a moment."""
        pipes = [PIPE] if self._launcher_there else []
        if not select.select(pipes, [], [], POLL_S)[0]:
            return False
        if os.read(PIPE, 64):
            return True
        self._launcher_there = False
        self._end_within(0.0 if self._hurried else self._order.lease_s)
        return False

    def end_server(self) -> None:
        """Ask the server to end, and kill it if it does not."""
        if self._server.poll() is None:
            self._server.terminate()
            if not shell.wait(self._server, PATIENCE_S):
                self._server.kill()
        self._server.wait()


def main(path: Path) -> str | None:
    """Start the server of ``path`` and stay until it may end.

    Return why it ended before that, for the log.
    """
    os.umask(0o077)
    folder = ServerFolder(path)
    os.chdir(path)
    order = read_order(folder)
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    guard = Guard(folder, order, time.monotonic)
    signal.signal(signal.SIGTERM, lambda *_: guard.hurry())
    exit_code = guard.watch()
    guard.end_server()
    if exit_code is not None and guard.launcher_there:
        # The folder stays: the launcher wants to read the log.
        return f"guard: the server {shell.how_ended(exit_code)}"
    remove_credentials(Path(order.credentials), epoch=order.epoch, port=order.port)
    remove_folder(folder)
    return None


if __name__ == "__main__":
    try:
        sys.exit(main(Path(sys.argv[1])))
    except TrapHpcError as error:
        sys.exit(str(error))
