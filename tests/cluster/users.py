"""Users of a cluster, known within it alone: the machine gets no accounts."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """An ordinary user, with a home in the cluster's folder."""

    name: str
    uid: int
    gid: int
    home: Path

    @property
    def passwd_line(self) -> str:
        return f"{self.name}:x:{self.uid}:{self.gid}::{self.home}:/bin/bash\n"

    @property
    def group_line(self) -> str:
        return f"{self.name}:x:{self.gid}:\n"


def users_of(folder: Path) -> tuple[User, User]:
    """Return the user whose jobs run, and another one who is up to no good.

    Under sudo the first is who called it, so that their own files can be read.
    """
    name, uid, gid = "astro", 27701, 27701
    if os.environ.get("SUDO_UID", "0") != "0":
        uid, gid = int(os.environ["SUDO_UID"]), int(os.environ["SUDO_GID"])
        name = pwd.getpwuid(uid).pw_name
    user = User(name=name, uid=uid, gid=gid, home=folder / "home" / name)
    other = User(name="other", uid=27702, gid=27702, home=folder / "home" / "other")
    return user, other


def make_users(folder: Path, users: tuple[User, ...]) -> None:
    """Make homes, and write the machine's accounts with ``users`` among them."""
    for user in users:
        user.home.mkdir(mode=0o700, parents=True)
        os.chown(user.home, user.uid, user.gid)
    taken = {str(user.uid) for user in users} | {user.name for user in users}
    lines = Path("/etc/passwd").read_text().splitlines(keepends=True)
    kept = [x for x in lines if not taken & {x.split(":")[0], *x.split(":")[2:3]}]
    new = "".join(user.passwd_line for user in users)
    (folder / "passwd").write_text("".join(kept) + new)
    groups = "".join(user.group_line for user in users)
    (folder / "group").write_text(Path("/etc/group").read_text() + groups)
