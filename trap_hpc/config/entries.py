"""Words that the user wrote, in files and on the command line, as entries.

An entry is one ``section.name = value`` with the place where it stands; whether there
is such a parameter, and whether it may have that value, is judged elsewhere.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trap_hpc.errors import ParameterError

SCHEMA_KEY = "schema_version"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One value that the user set. ``section`` is empty where none was named."""

    section: str
    name: str
    value: object
    origin: str
    """``night.toml, line 12`` or ``--set``."""


def entries_of_file(path: Path) -> list[Entry]:
    """Read ``*.toml`` as TOML and any other file as TraP's ``job_params.cfg``.

    Raises
    ------
    ParameterError
        The file can't be read, or breaks the rules of its format.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        what = getattr(error, "strerror", None) or "it is not a text file"
        raise ParameterError(f"can't read the parameter file {path}: {what}") from None
    read = _toml if path.suffix.lower() == ".toml" else _cfg
    return list(read(text, path))


def entries_of_settings(settings: Sequence[str]) -> list[Entry]:
    """Read ``--set name=value`` and ``--set section.name=value``.

    Raises
    ------
    ParameterError
        One of them has no ``=``.
    """
    return [_setting(text) for text in settings]


def native(text: str) -> object:
    """Return the value that ``text`` spells: a number, truth value or string."""
    lowered = text.lower()
    if lowered in ("true", "false"):
        return lowered == "true"
    try:
        value: object = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
    return value if isinstance(value, bool | int | float | str) else text


def _setting(text: str) -> Entry:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise ParameterError(
            f"--set {text}: write it as name=value or section.name=value, "
            "for example --set detection_threshold=5"
        )
    section, _, name = key.strip().rpartition(".")
    return Entry(
        section=section, name=name, value=native(value.strip()), origin="--set"
    )


# TOML ------------------------------------------------------------------------------


def _toml(text: str, path: Path) -> Iterator[Entry]:
    try:
        tables: dict[str, Any] = tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError, or a number of too many digits
        raise ParameterError(f"{path} is not valid TOML: {error}") from None
    except RecursionError:
        raise ParameterError(f"{path} is not valid TOML: nested too deeply") from None
    tables.pop(SCHEMA_KEY, None)
    lines = _lines_of_keys(text)
    for section, values in tables.items():
        if not isinstance(values, dict):
            yield Entry(
                section="",
                name=section,
                value=values,
                origin=_place(path, lines.get(("", section))),
            )
            continue
        for name, value in values.items():
            origin = _place(path, lines.get((section, name)))
            yield Entry(section=section, name=name, value=value, origin=origin)
        if not values:
            origin = _place(path, lines.get((section, "")))
            yield Entry(section=section, name="", value=None, origin=origin)


_TOML_SECTION = re.compile(r"\s*\[\s*([\w\"'-]+)\s*\]")
_TOML_KEY = re.compile(r"\s*(?:([\w-]+)\s*\.\s*)?([\w\"'-]+)\s*=")


def _lines_of_keys(text: str) -> dict[tuple[str, str], int]:
    """Where each key stands. Good enough for messages: tomllib doesn't tell."""
    lines: dict[tuple[str, str], int] = {}
    section = ""
    for number, line in enumerate(text.split("\n"), start=1):
        if found := _TOML_SECTION.match(line):
            section = found[1].strip("\"'")
            lines.setdefault((section, ""), number)
        elif found := _TOML_KEY.match(line):
            lines.setdefault((found[1] or section, found[2].strip("\"'")), number)
    return lines


def _place(path: Path, line: int | None) -> str:
    return f"{path}, line {line}" if line else str(path)


# TraP's job_params.cfg -------------------------------------------------------------

_CFG_SECTION = re.compile(r"\[\s*(?P<section>[^\]]+?)\s*\]\s*(?:[;#].*)?$")
_CFG_VALUE = re.compile(
    r"""(?P<name>[\w.-]+) \s* [=:] \s*
    (?P<value> "[^"]*" | '[^']*' | .*? ) \s* (?: (?:^|\s) [;#] .* )? $""",
    re.VERBOSE,
)


def _cfg(text: str, path: Path) -> Iterator[Entry]:
    section = ""
    seen: dict[tuple[str, str], int] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        stripped = line.strip()
        origin = _place(path, number)
        if not stripped or stripped.startswith((";", "#")):
            continue
        if found := _CFG_SECTION.match(stripped):
            section = found["section"]
            yield Entry(section=section, name="", value=None, origin=origin)
            continue
        found = _CFG_VALUE.match(stripped)
        if not found:
            raise ParameterError(
                f"{origin}: {stripped!r} is neither a [section], nor name = value, "
                "nor a comment (; or #)"
            )
        key = (section, found["name"])
        if key in seen:
            raise ParameterError(
                f"{origin}: {found['name']} was already set in line {seen[key]}"
            )
        seen[key] = number
        value = native(found["value"])
        yield Entry(section=section, name=found["name"], value=value, origin=origin)
