"""Ctrl-C waits while nobody could answer it: programs start, modules are imported.

Else it would be answered with a traceback. It is held back, not lost: who releases it
is interrupted at that moment. So it is when a process becomes another program.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NoReturn

from trap_hpc.errors import RunError


def hold() -> None:
    """Let Ctrl-C wait from now on."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def release() -> None:
    """Let Ctrl-C through, also one that has waited.

    Raises
    ------
    KeyboardInterrupt
        One has waited.
    """
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


@contextmanager
def held() -> Iterator[None]:
    """Let Ctrl-C wait within this context, and after it if it did so before."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def become(argv: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    """Replace this program by another, which must `release` Ctrl-C.

    Raises
    ------
    RunError
        It can't be started.
    """
    hold()
    try:
        os.execve(argv[0], list(argv), environment)
    except OSError as error:
        release()
        raise RunError(f"can't start {argv[0]}: {error.strerror or error}") from None
