"""The files that site profiles are in."""

from __future__ import annotations

import difflib
import os
import re
from importlib.resources.abc import Traversable
from pathlib import Path

from trap_hpc.config.environment import config_folders
from trap_hpc.config.resources import resource
from trap_hpc.config.tomlfile import Entry, toml_entries
from trap_hpc.errors import StorageError, UsageError
from trap_hpc.files import cannot_write, write_whole
from trap_hpc.trust import knows_modes, open_to, owned_by

PROJECT = "trap_hpc.toml"
NO_SITES = ("job_params",)
"""What else lies among the profiles."""
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")


def profile_entries(name_or_path: str) -> tuple[str, list[Entry]]:
    """Return a site's name and what its files say, the least important first.

    Raises
    ------
    UsageError
        There is no such profile, or a file of it can't be read.
    """
    if is_path(name_or_path):
        path = Path(name_or_path)
        return path.stem, _flat(entries_of(path, str(path)))
    files = files_of(name_or_path)
    if not files:
        raise UsageError(_unknown(name_or_path))
    found = (_flat(entries_of(file, _called(file))) for file in files)
    return name_or_path, [entry for entries in found for entry in entries]


def project_entries() -> list[Entry]:
    """Return what ``[site]`` of ``./trap_hpc.toml`` says, if that is there.

    Raises
    ------
    UsageError
        It can't be read, holds something else, or others may change it.
    """
    path = Path(PROJECT)
    if not path.exists():
        return []
    entries = _entries(_our_text(path), f"./{PROJECT}")
    for entry in entries:
        if entry.section != "site":
            word = f"[{entry.section}]" if entry.section else entry.name
            raise UsageError(
                f"{entry.origin}: {word}: this file has the section [site] alone; job "
                "parameters go into a file of their own, see --params"
            )
    return [entry for entry in entries if entry.name]


def known_names() -> list[str]:
    """Return the names of all profiles, in alphabetical order."""
    return sorted({name for folder in _folders() for name in _names(folder)})


def files_of(name: str) -> list[Traversable]:
    """Return the files of a profile, the least important first."""
    if name in NO_SITES or not _NAME.fullmatch(name):
        return []
    files = (folder / f"{name}.toml" for folder in _folders())
    return [file for file in files if file.is_file()]


def is_packaged(name: str) -> bool:
    """Whether a profile of that name comes with this package."""
    return (resource("configs") / f"{name}.toml").is_file()


def user_profile(name_or_path: str) -> Path:
    """Return the file that the user's own values of a site belong into."""
    if is_path(name_or_path):
        return Path(name_or_path)
    return config_folders()[-1] / f"{name_or_path}.toml"


def new_profile(text: str, *, name: str | None, path: Path | None) -> Path:
    """Write a profile to ``path``, or as the user's own called ``name``.

    Raises
    ------
    UsageError
        There is one already, or it can't be called so.
    StorageError
        It can't be written.
    """
    if path is None:
        if not name or not _NAME.fullmatch(name):
            raise UsageError(f"--name {name}: letters, digits, - and _ make a name")
        path = user_profile(name)
    if path.exists():
        raise UsageError(f"{path} is there already; remove it, or name another")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(cannot_write(path, error)) from None
    write_whole(path, text.encode())
    return path


def is_path(name_or_path: str) -> bool:
    """Whether the user means a file, not a name."""
    return "/" in name_or_path or name_or_path.endswith(".toml")


def entries_of(file: Traversable, called: str) -> list[Entry]:
    """Read a file; its origins name it as it is ``called``.

    Raises
    ------
    UsageError
        It can't be read, or is not TOML.
    """
    return _entries(text_of(file), called)


def _entries(text: str, called: str) -> list[Entry]:
    try:
        return list(toml_entries(text, called))
    except ValueError as error:
        raise UsageError(str(error)) from None


def _our_text(path: Path) -> str:
    """Return the text of a file that is read because it lies in the current folder.

    Nobody has named it, so somebody else may have put it there: and what it says ends
    in scripts that run as whoever reads it.
    """
    try:
        with path.open("rb") as stream:  # what is looked at is what is read
            found = os.fstat(stream.fileno())
            who = owned_by(path.lstat()) or owned_by(found)
            if not who and (mode := open_to(found)) and knows_modes(Path()):
                who = mode
            if who:
                raise UsageError(_not_ours(who))
            return _decoded(stream.read())
    except (OSError, UnicodeDecodeError) as error:
        raise _can_t_read(path, error) from None


def _not_ours(who: str) -> str:
    return (
        f"./{PROJECT} is not yours alone: {who}. What it says is run as you, so it is "
        "not read. If you trust it, make it your own with `chmod go-w` or a copy, or "
        "take what you need of it into ~/.config/trap_hpc; if not, work in another "
        "folder"
    )


def text_of(file: Traversable) -> str:
    """Return a file's text.

    Raises
    ------
    UsageError
        It can't be read.
    """
    try:
        # Not by read_text(): one that is packed in a zip file knows no such encoding.
        return _decoded(file.read_bytes())
    except (OSError, UnicodeDecodeError) as error:
        raise _can_t_read(file, error) from None


def _decoded(content: bytes) -> str:
    return content.decode("utf-8-sig").replace("\r\n", "\n")


def _can_t_read(file: Traversable, error: Exception) -> UsageError:
    what = getattr(error, "strerror", None) or "it is not a text file"
    return UsageError(f"can't read the site profile {file}: {what}")


def _folders() -> list[Traversable]:
    """Return the folders that hold profiles, the least important first."""
    return [resource("configs"), *config_folders()]


def _names(folder: Traversable) -> list[str]:
    try:
        files = [Path(file.name) for file in folder.iterdir()]
    except OSError:
        return []
    return [f.stem for f in files if f.suffix == ".toml" and f.stem not in NO_SITES]


def _called(file: Traversable) -> str:
    """Name a file for people: one that is packaged by less than its path."""
    packaged = resource("configs") / file.name
    return f"packaged {file.name}" if str(file) == str(packaged) else str(file)


def _flat(entries: list[Entry]) -> list[Entry]:
    for entry in entries:
        if entry.section:
            raise UsageError(
                f"{entry.origin}: a site profile has no sections such as "
                f"[{entry.section}]; write its keys without"
            )
    return entries


def _unknown(name: str) -> str:
    known = known_names()
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}? There are" if near else "there are"
    return (
        f"there is no site {name!r}; {hint} {', '.join(known)}. A file is named by a "
        "path: ./my.toml"
    )
