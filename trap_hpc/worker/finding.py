"""Finding the session's files on a shared file system, which may show them late.

They are there before a job is submitted. A worker that sees none, or those of an
earlier session, looks again for a while; but a job that begins after its run has ended
is not to keep its node waiting.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from trap_hpc.files import look_anew

NONE_S = 3.0
"""So long a file is looked for that is not there at all: it may have been removed."""
EARLIER_S = 30.0
"""So long a file of an earlier session is looked at: the newer one must be coming."""
LOOK_S = 0.3

Clock = Callable[[], float]


class OfSession(Protocol):
    """Something that a session has written."""

    @property
    def epoch(self) -> int:
        """The session's number."""


T = TypeVar("T", bound=OfSession)


def find_current(
    read: Callable[[], T | None], epoch: int, folder: Path, *, clock: Clock
) -> T | None:
    """Return what ``read`` finds in ``folder`` as soon as it is of ``epoch`` or later.

    If that does not happen return what there is, None if there is nothing.
    """
    began_s = clock()
    while True:
        found = read()
        if found is not None and found.epoch >= epoch:
            return found
        if clock() - began_s >= (NONE_S if found is None else EARLIER_S):
            return found
        time.sleep(LOOK_S)
        look_anew(folder)
