"""Opening tables of CASA that anybody may have written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def opened_table(path: str) -> Iterator[Any]:
    """Open a table without locking it: others may be reading, or the disk read-only.

    Raises
    ------
    ImportError
        There is no casacore here.
    RuntimeError
        It can't be opened.
    """
    from casacore.tables import table

    whole = os.path.abspath(path)
    with _standing_at_root():
        opened = table(whole, ack=False, lockoptions="usernoread")
    try:
        yield opened
    finally:
        opened.close()


@contextmanager
def _standing_at_root() -> Iterator[None]:
    """Leave the current folder for a moment.

    A table may name a library that is loaded for it, relative to the current folder:
    in a folder of many, one that anybody has put there.
    """
    here = os.open(".", getattr(os, "O_PATH", os.O_RDONLY))
    try:
        os.chdir("/")
        yield
    finally:
        os.fchdir(here)
        os.close(here)
