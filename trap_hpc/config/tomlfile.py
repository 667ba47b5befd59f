"""TOML as entries: each value with the place where it stands.

An entry is one ``section.name = value`` that the user wrote; whether there is such a
name, and whether it may have that value, is judged elsewhere.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

SCHEMA_KEY = "schema_version"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One value that the user set. ``section`` is empty where none was named."""

    section: str
    name: str
    value: object
    origin: str
    """``night.toml, line 12`` or ``--set``."""


def toml_entries(text: str, file: str) -> Iterator[Entry]:
    """Read TOML; ``file`` is what the origins call it. An empty section is one, too.

    Raises
    ------
    ValueError
        It is not TOML; the message is a sentence.
    """
    try:
        tables: dict[str, Any] = tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError, or a number of too many digits
        raise ValueError(f"{file} is not valid TOML: {error}") from None
    except RecursionError:
        raise ValueError(f"{file} is not valid TOML: nested too deeply") from None
    tables.pop(SCHEMA_KEY, None)
    lines = _lines_of_keys(text)
    for section, values in tables.items():
        if not isinstance(values, dict):
            yield Entry(
                section="",
                name=section,
                value=values,
                origin=place(file, lines.get(("", section))),
            )
            continue
        for name, value in values.items():
            origin = place(file, lines.get((section, name)))
            yield Entry(section=section, name=name, value=value, origin=origin)
        if not values:
            origin = place(file, lines.get((section, "")))
            yield Entry(section=section, name="", value=None, origin=origin)


_SECTION = re.compile(r"\s*\[\s*([\w\"'-]+)\s*\]")
_KEY = re.compile(r"\s*(?:([\w-]+)\s*\.\s*)?([\w\"'-]+)\s*=")


def _lines_of_keys(text: str) -> dict[tuple[str, str], int]:
    """Where each key stands. Good enough for messages: tomllib doesn't tell."""
    lines: dict[tuple[str, str], int] = {}
    section = ""
    for number, line in enumerate(text.split("\n"), start=1):
        if found := _SECTION.match(line):
            section = found[1].strip("\"'")
            lines.setdefault((section, ""), number)
        elif found := _KEY.match(line):
            lines.setdefault((found[1] or section, found[2].strip("\"'")), number)
    return lines


def place(file: str, line: int | None) -> str:
    """Say where a value stands."""
    return f"{file}, line {line}" if line else file


def toml_value(value: object) -> str:
    """Return a text, number, truth value or list as TOML writes it."""
    # JSON's strings and truth values are TOML's, but for one character, and its floats
    # keep every digit.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def comment(text: str) -> str:
    """Return ``text`` fit for a comment, whatever a file may be called."""
    return "".join(c if c.isprintable() else "?" for c in text)
