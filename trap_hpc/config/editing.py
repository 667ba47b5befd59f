"""Changing one value in a profile that people wrote, and nothing else in it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path

from trap_hpc.config.forms import interface as interface_form
from trap_hpc.config.tomlfile import SCHEMA_KEY, toml_value
from trap_hpc.errors import StorageError, UsageError
from trap_hpc.files import cannot_write, write_whole

NEW = f"{SCHEMA_KEY} = 1\n"
_KEY = re.compile(r"^[ \t]*interface[ \t]*=", re.MULTILINE)


def set_interface(path: Path, interfaces: Sequence[str]) -> None:
    """Set ``interface`` in the profile at ``path``, which need not be there yet.

    The rest of the file stays as it is, comments too.

    Raises
    ------
    UsageError
        The file is not TOML or can't be read, or a name can't be an interface.
    StorageError
        It can't be written.
    """
    path = path.resolve()  # who keeps settings under version control has links here
    try:
        value = toml_value([interface_form(each) for each in interfaces])
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = path.read_text(encoding="utf-8") if path.exists() else NEW
        private = path.exists() and not path.stat().st_mode & 0o077
        changed = _changed(text, f"interface = {value}")
    except ValueError as error:
        raise UsageError(f"can't change {path}: {error}") from None
    except OSError as error:
        raise StorageError(cannot_write(path, error)) from None
    write_whole(path, changed.encode(), private=private)


def _changed(text: str, line: str) -> str:
    before = tomllib.loads(text)
    found = _KEY.search(text)
    if found:
        end = _end_of_value(text, found.start())
        changed = f"{text[: found.start()]}{line}{text[end:]}"
    else:
        changed = f"{text}{'' if text.endswith(chr(10)) else chr(10)}{line}\n"
    # The words above are simpler than TOML: they may have met something else.
    if tomllib.loads(changed) != before | tomllib.loads(line):
        raise ValueError(f"it is written in a way of its own; write into it: {line}")
    return changed


def _end_of_value(text: str, start: int) -> int:
    """Return where the value that begins at ``start`` ends, comments not included."""
    for end in range(start, len(text) + 1):
        if end < len(text) and text[end] not in "\n#":
            continue
        try:
            tomllib.loads(text[start:end])
        except tomllib.TOMLDecodeError:
            continue
        return start + len(text[start:end].rstrip(" \t"))
    return len(text)
