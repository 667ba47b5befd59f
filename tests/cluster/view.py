"""What an ordinary user must be able to read, and how to show it to one who can't.

The interpreter, the environment and the checkout may lie below a folder that is root's
alone. Nothing is made readable for that: within the cluster the closed folder is
covered by an empty one, in which what is needed appears again, read-only.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.users import User
from tests.source import ROOT


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """An empty folder in the place of ``folder``, where ``kept`` stay as they were."""

    folder: str
    mode: str
    kept: tuple[str, ...]
    writable: bool


def needed() -> list[Path]:
    """Return the folders without which our commands can't run."""
    found = {Path(sys.prefix), Path(sys.base_prefix), ROOT}
    found |= {Path(entry) for entry in sys.path if entry and Path(entry).is_dir()}
    return topmost(found | {path.resolve() for path in found})


def topmost(paths: Iterable[Path]) -> list[Path]:
    """Return ``paths`` without those that lie within another."""
    every = set(paths)
    return sorted(path for path in every if not every & set(path.parents))


def covers_for(users: Sequence[User], paths: Iterable[Path]) -> list[Cover]:
    """Return what must be covered so that ``users`` can read ``paths``."""
    kept: dict[Path, list[str]] = {}
    for path in paths:
        closed = _first_closed(path, users)
        if closed is not None:
            kept.setdefault(closed, []).extend(str(each) for each in _open(path, users))
    return [
        Cover(folder=str(folder), mode="0755", kept=tuple(inside), writable=False)
        for folder, inside in kept.items()
    ]


def _first_closed(path: Path, users: Sequence[User]) -> Path | None:
    for folder in (*reversed(path.parents), path):
        if not all(_may_enter(folder, user) for user in users):
            return folder
    return None


def _open(path: Path, users: Sequence[User]) -> list[Path]:
    """Return ``path``, or what is in it if it is closed itself."""
    if all(_may_enter(path, user) for user in users):
        return [path]
    return sorted(path.iterdir())


def _may_enter(folder: Path, user: User) -> bool:
    status = folder.stat()
    if status.st_uid == user.uid:
        needs = 0o500
    elif status.st_gid == user.gid:
        needs = 0o050
    else:
        needs = 0o005
    return status.st_mode & needs == needs


def own_temporary_folder(kept: Iterable[Path]) -> list[Cover]:
    """Give a host temporary folders of its own, as hosts have; nothing is shared there.

    What is needed and happens to lie there stays.
    """
    folders = [path for path in ("/tmp", "/dev/shm") if os.path.isdir(path)]
    return [
        Cover(
            folder=folder,
            mode="1777",
            kept=tuple(str(p) for p in kept if Path(folder) in p.parents),
            writable=True,
        )
        for folder in folders
    ]
