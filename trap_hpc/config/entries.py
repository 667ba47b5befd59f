"""Job parameters that the user wrote, in files and on the command line, as entries."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from trap_hpc.config.tomlfile import Entry, place, toml_entries
from trap_hpc.errors import ParameterError


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
    read = toml_entries if path.suffix.lower() == ".toml" else _cfg
    try:
        return list(read(text, str(path)))
    except ValueError as error:
        raise ParameterError(str(error)) from None


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


# TraP's job_params.cfg -------------------------------------------------------------

_CFG_SECTION = re.compile(r"\[\s*(?P<section>[^\]]+?)\s*\]\s*(?:[;#].*)?$")
_CFG_VALUE = re.compile(
    r"""(?P<name>[\w.-]+) \s* [=:] \s*
    (?P<value> "[^"]*" | '[^']*' | .*? ) \s* (?: (?:^|\s) [;#] .* )? $""",
    re.VERBOSE,
)


def _cfg(text: str, file: str) -> Iterator[Entry]:
    section = ""
    seen: dict[tuple[str, str], int] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        stripped = line.strip()
        origin = place(file, number)
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
