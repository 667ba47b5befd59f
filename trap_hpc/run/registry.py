"""Where runs are: finding them by id, prefix, path or ``last``."""

from __future__ import annotations

import os
import secrets
import shlex
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from trap_hpc.config.environment import state_folder
from trap_hpc.errors import StorageError, UsageError
from trap_hpc.files import cannot_write, make_folder, write_whole
from trap_hpc.paths import RunPaths
from trap_hpc.trust import who_else

ID_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"


def new_run_id() -> str:
    """Make an id that reads well in a queue listing: ``trap-`` and eight characters."""
    return "trap-" + "".join(secrets.choice(ID_LETTERS) for _ in range(8))


def register(run_id: str, directory: Path) -> None:
    """Note where a run is, so that it is found by its id from anywhere.

    Raises
    ------
    StorageError
        The user's state folder can't be written.
    """
    folder = state_folder() / "runs"
    try:
        make_folder(folder.parent, 0o700)
        make_folder(folder, 0o700)
    except OSError as error:
        raise StorageError(cannot_write(folder, error)) from None
    write_whole(folder / run_id, f"{directory.resolve()}\n".encode(), lasting=False)


def require_original(run_id: str, directory: Path) -> None:
    """Make sure that ``directory`` is not a copy of a run that is still where it was.

    Jobs and credentials of both would have the same name. A directory that was moved is
    no copy.

    Raises
    ------
    UsageError
        It is one.
    """
    noted = {name: path for _, name, path in _noted()}
    original = noted.get(run_id)
    if original is None or not is_run(original):
        return
    if not original.samefile(directory):
        raise UsageError(
            f"{directory} is a copy of {run_id}, which is still in {original}: resume "
            "that one, or move it away to go on with the copy alone"
        )


def known_runs() -> dict[str, Path]:
    """Every registered run that still has its directory, the oldest first.

    Of a directory that was removed and used again, only the latest run is left.
    """
    noted = sorted(_noted())
    latest = {path: name for _, name, path in noted}
    return {
        name: path for _, name, path in noted if latest[path] == name and is_run(path)
    }


def _noted() -> Iterator[tuple[int, str, Path]]:
    """When each run was noted, its id, its directory; what is none is left out."""
    with suppress(OSError):
        for entry in (state_folder() / "runs").iterdir():
            with suppress(OSError, ValueError):
                noted = entry.lstat()
                if not stat.S_ISREG(noted.st_mode) or who_else(noted):
                    continue  # nobody else may say where our runs are
                path = Path(entry.read_text()[:-1])
                if path.is_absolute() and not entry.name.startswith("."):
                    yield noted.st_mtime_ns, entry.name, path


def is_run(directory: Path) -> bool:
    """Whether this is a run's directory, as far as we may look."""
    # Of one that we must not look into, or whose file system is gone, it is no error.
    return os.path.exists(RunPaths(directory).plan)  # noqa: PTH110


def _some(names: list[str], shown: int = 5) -> str:
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


def find_run(text: str) -> Path:
    """Return the directory of the run that ``text`` names.

    ``text`` is a path, an id, the unique beginning of an id (with or without its
    ``trap-``), or ``last``.

    Raises
    ------
    UsageError
        No run, or more than one, is meant.
    """
    runs = known_runs()
    # First: in a folder of many, anybody may give a folder such a name.
    if text == "last" and runs:
        return list(runs.values())[-1]
    if text in runs:
        return runs[text]
    if is_run(Path(text)):
        return Path(text)
    hits = [name for name in runs if name.startswith((text, f"trap-{text}"))]
    if len(hits) == 1:
        return runs[hits[0]]
    if hits:
        raise UsageError(f"{text!r} may mean any of {_some(sorted(hits))}")
    listing = ", ".join(list(runs)[-5:]) or "none yet"
    raise UsageError(
        f"no run is called {text!r}: name a run directory, an id, the beginning of an "
        f"id, or `last` (known here: {listing})"
    )


def find_catalogue(text: str) -> str:
    """Return the path or the URL of the catalogue that ``text`` names.

    ``text`` is all that `find_run` takes, a catalogue's file, or a database's URL.

    Raises
    ------
    UsageError
        There is no such run, or it has no catalogue.
    """
    place = Path(text)
    listed = text == "last" or text in known_runs()
    if "://" in text:
        return text
    if not listed and (place.is_file() or RunPaths(place).catalogue.exists()):
        return text
    directory = find_run(text)
    if not RunPaths(directory).catalogue.exists():
        raise UsageError(
            f"{directory} has no catalogue yet; `trap-hpc resume {shlex.quote(text)}` "
            "makes it"
        )
    return str(directory)
