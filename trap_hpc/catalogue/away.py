"""A database that is away for a moment: restarted, or not reached."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError

from trap_hpc.catalogue.address import redacted
from trap_hpc.errors import CatalogueError

AWAY_S = 60.0
"""So long it is waited for."""
PAUSE_S = 2.0
BREAKS = 5
"""So often it may break off what had begun."""
BEGUN_S = 15.0
"""What fails later than this had begun: a connection is not waited for so long."""

_FOR_GOOD = (
    *("does not exist", "authentication failed", "no password supplied"),
    *("no pg_hba.conf entry", "permission denied", "could not translate host name"),
)
"""What waiting does not change. The server may say the same in other languages."""

T = TypeVar("T")


def once_it_answers(
    do: Callable[[], T],
    url: str,
    *,
    say: Callable[[str], None],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Do something in the database at ``url``, again if that is away meanwhile.

    It must be harmless to do it twice: nobody knows what a broken connection has done.

    Raises
    ------
    CatalogueError
        It stays away, or nothing will come of waiting.
    """
    away_since_s: float | None = None
    breaks = 0
    while True:
        began_s = clock()
        try:
            return do()
        except CatalogueError as error:
            if not _is_away(error):
                raise
            if clock() - began_s >= BEGUN_S:
                away_since_s, breaks = None, breaks + 1
            if away_since_s is None:
                away_since_s = clock()
                say(_waiting(url, error))
            if breaks >= BREAKS or clock() - away_since_s >= AWAY_S:
                raise
        sleep(PAUSE_S)


def _waiting(url: str, error: CatalogueError) -> str:
    return (
        f"the database {redacted(url)} is away ({_said(error)}); the run waits up to "
        f"{AWAY_S:.0f} s for it to come back"
    )


def _said(error: CatalogueError) -> str:
    reason = _reason(error)
    return str(reason).strip().splitlines()[-1] if str(reason) else "it hung up"


def _is_away(error: CatalogueError) -> bool:
    psycopg = sys.modules.get("psycopg")
    reason = _reason(error)
    if psycopg is None or not isinstance(reason, psycopg.OperationalError):
        return False
    return not any(words in str(reason) for words in _FOR_GOOD)


def _reason(error: CatalogueError) -> BaseException | None:
    """Return the driver's own error."""
    cause = error.__cause__
    return cause.orig if isinstance(cause, DBAPIError) else cause
