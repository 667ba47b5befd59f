"""What others leave on a machine: files that are theirs, or that they may change."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from tests.ci import lacking


def given_away(path: Path) -> Path:
    """Let a file, or a folder with all that is in it, belong to somebody else."""
    if os.geteuid() != 0:
        lacking("only root can give files away")
    nobody = pwd.getpwnam("nobody")
    for each in (path, *(path.rglob("*") if path.is_dir() else ())):
        os.chown(each, nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)
    return path


def for_a_group(path: Path, mode: int = 0o775) -> Path:
    """Let a group of several people change a file."""
    if os.geteuid() != 0:
        lacking("only root can be in any group")
    os.chown(path, -1, 27777)
    path.chmod(mode)
    return path
