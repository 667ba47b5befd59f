"""Whether a file is ours alone to change: what it says is then done in our name.

A run's own code is imported, and lines of a profile end in job scripts. Whoever can
change such a file can do whatever its reader can. What belongs to root, who can do so
anyway, is trusted as what is ours.
"""

from __future__ import annotations

import grp
import os
import pwd
import stat
import tempfile
from contextlib import suppress
from pathlib import Path


def who_else(status: os.stat_result) -> str:
    """Say in half a sentence who else may change a file; empty: nobody."""
    return owned_by(status) or open_to(status)


def owned_by(status: os.stat_result) -> str:
    """Say who owns a file, if that is neither we nor root."""
    if status.st_uid in (0, os.geteuid()):
        return ""
    return f"it belongs to {_user(status.st_uid)}"


def open_to(status: os.stat_result) -> str:
    """Say whom a file's mode lets change it.

    A group that is the user's alone, as many systems make one for each, is nobody else.
    With a sticky bit others can't take files out of a folder, but put them into it.
    """
    mode = f"(mode {stat.S_IMODE(status.st_mode):04o})"
    if status.st_mode & stat.S_IWOTH:
        return f"everybody may change it {mode}"
    if status.st_mode & stat.S_IWGRP and not _is_private(status.st_gid):
        return f"the group {_group(status.st_gid)} may change it {mode}"
    return ""


def knows_modes(folder: Path) -> bool:
    """Whether modes mean anything in ``folder``: not all file systems have them."""
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:  # for its owner alone
            return not os.fstat(probe.fileno()).st_mode & 0o077
    except OSError:
        return True


def _is_private(gid: int) -> bool:
    """Whether a group is called like the user, and has no other member."""
    with suppress(KeyError):
        name = pwd.getpwuid(os.geteuid()).pw_name
        group = grp.getgrgid(gid)
        return group.gr_name == name and {*group.gr_mem} <= {name}
    return False


def _user(uid: int) -> str:
    with suppress(KeyError):
        return pwd.getpwuid(uid).pw_name
    return f"user {uid}"


def _group(gid: int) -> str:
    with suppress(KeyError):
        return grp.getgrgid(gid).gr_name
    return str(gid)
