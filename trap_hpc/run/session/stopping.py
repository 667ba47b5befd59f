"""Asking a run to stop, from anywhere that sees its directory."""

from __future__ import annotations

import getpass
import os
from datetime import UTC, datetime

from trap_hpc.files import write_whole
from trap_hpc.network import host_name
from trap_hpc.paths import RunPaths
from trap_hpc.plaintext import one_line

LONGEST = 200
"""Characters of a request that are read: anybody who may write there can leave one."""
PATIENCE_S = 120.0
"""So long whoever asks waits for the launcher."""


def ask_to_stop(paths: RunPaths) -> None:
    """Leave a request that the run's launcher obeys within a second or two.

    Raises
    ------
    StorageError
        It can't be written.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    who = f"{_user()}@{host_name()} at {now}\n"
    write_whole(paths.stop_request, who.encode(), lasting=False)


def stop_asked(paths: RunPaths) -> str:
    """Return who wants the run to stop; empty if nobody does."""
    try:
        with paths.stop_request.open(encoding="utf-8", errors="replace") as stream:
            return one_line(stream.read(LONGEST).strip()) or "somebody"
    except OSError:
        return ""


def forget_request(paths: RunPaths) -> None:
    """Take a request away: it was obeyed, or was for an earlier session."""
    paths.stop_request.unlink(missing_ok=True)


def stopped_by(by: str) -> KeyboardInterrupt:
    """Return what a run raises that obeys a request."""
    return KeyboardInterrupt(f"`trap-hpc stop` by {by}")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no name is known for this number
        return str(os.getuid())
