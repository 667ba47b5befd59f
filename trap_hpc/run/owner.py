"""Whose a run is: what is in its directory is done in the name of who goes on with it.

Its code is imported, its parameters name files and databases, its records name jobs to
cancel. So nobody goes on with a run that others may change, or clears up after it.
"""

from __future__ import annotations

import shlex
import stat
from contextlib import suppress
from pathlib import Path

from trap_hpc.errors import RunError
from trap_hpc.trust import knows_modes, open_to, owned_by


def require_ours(directory: Path) -> None:
    """Make sure that nobody else can change, or could have changed, what a run is.

    Raises
    ------
    RunError
        Somebody can.
    """
    try:
        for path in (directory, *sorted(directory.iterdir())):
            with suppress(FileNotFoundError):  # what a launcher at work replaces
                _require_ours(directory, path)
    except OSError as error:
        raise RunError(f"{directory} can't be looked at: {error.strerror}") from None


def _require_ours(directory: Path, path: Path) -> None:
    link = path.lstat()
    found = path.stat() if stat.S_ISLNK(link.st_mode) else link
    if who := owned_by(link) or owned_by(found):
        remedy = (
            "start a run of your own; to look at this one, `trap-hpc status`, "
            "`candidates` and `export` will do"
        )
    elif (who := open_to(found)) and knows_modes(directory):
        remedy = (
            f"`chmod -R go-w {shlex.quote(str(directory))}`, if you trust all who may"
        )
    else:
        return
    raise RunError(
        f"{path} is not yours alone: {who}. What is in a run's directory is done in "
        f"your name, so nothing is done with this one; {remedy}"
    )
