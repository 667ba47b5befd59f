"""The job parameters in effect, and where each of them was set."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from trap_hpc.config.entries import entries_of_file, entries_of_settings
from trap_hpc.config.limits import CHOICES, LIMITS, NOT_OFFERED, contradictions
from trap_hpc.config.parameters import JobParameters
from trap_hpc.config.tomlfile import Entry, comment, toml_value
from trap_hpc.config.values import typed
from trap_hpc.errors import ParameterError

SCHEMA_VERSION = 1
DEFAULT = "default"

DEFAULTS: dict[str, dict[str, object]] = asdict(JobParameters())
_SECTIONS_OF_NAME = {
    name: section for section, values in DEFAULTS.items() for name in values
}
"""TraP's names are unique over all sections, so a name alone says enough."""


@dataclass(frozen=True, slots=True)
class Sourced:
    """Job parameters, each with its origin."""

    parameters: JobParameters
    origins: tuple[tuple[str, str], ...]
    """``section.name`` and where its value comes from, in the order of the sections."""


def load(
    path: Path | None,
    overrides: Sequence[str] = (),
    *,
    base: JobParameters | None = None,
    base_origin: str = "",
) -> Sourced:
    """Read job parameters: the defaults, then the file, then ``--set``.

    Parameters
    ----------
    path
        A TOML file, or TraP's own ``job_params.cfg``.
    overrides
        ``name=value`` or ``section.name=value``; later ones win.
    base
        Taken instead of the defaults, and said to come from ``base_origin``.

    Raises
    ------
    ParameterError
        A file can't be read, or a parameter is unknown, of the wrong type, out of
        range, or something of TraP's that is not offered.
    """
    entries = [] if base is None else _entries_of(base, base_origin)
    entries += [] if path is None else entries_of_file(path)
    return resolve([*entries, *entries_of_settings(overrides)])


def _entries_of(parameters: JobParameters, origin: str) -> list[Entry]:
    return [
        Entry(section=section, name=name, value=value, origin=origin)
        for section, values in asdict(parameters).items()
        for name, value in values.items()
    ]


def resolve(entries: Iterable[Entry]) -> Sourced:
    """Put ``entries`` over the defaults; a later one wins.

    Raises
    ------
    ParameterError
        As `load`.
    """
    values: dict[str, dict[str, object]] = {section: {} for section in DEFAULTS}
    origins = {
        f"{section}.{name}": DEFAULT
        for section, defaults in DEFAULTS.items()
        for name in defaults
    }
    for entry in entries:
        section = _section_of(entry)
        if not entry.name:
            continue
        values[section][entry.name] = _checked(section, entry)
        origins[f"{section}.{entry.name}"] = entry.origin
    parameters = _replaced(values)
    for sentence in contradictions(parameters):
        name = sentence.partition(" ")[0]
        raise ParameterError(f"{sentence} (it comes from: {origins[name]})")
    return Sourced(parameters, tuple(origins.items()))


def dump(sourced: Sourced) -> str:
    """Return all parameters as TOML, the origin of each as a comment.

    `load` reads it back to the same parameters.
    """
    origins = dict(sourced.origins)
    lines = [f"schema_version = {SCHEMA_VERSION}"]
    for section, values in asdict(sourced.parameters).items():
        lines += ["", f"[{section}]"]
        lines += [
            f"{name} = {toml_value(value)}  # {comment(origins[f'{section}.{name}'])}"
            for name, value in values.items()
        ]
    return "\n".join(lines) + "\n"


def _replaced(values: dict[str, dict[str, object]]) -> JobParameters:
    """Return the defaults with ``values`` (by section and name) in their places."""
    base = JobParameters()
    changes = {
        part.name: replace(getattr(base, part.name), **values[part.name])
        for part in fields(base)
    }
    return replace(base, **changes)


# Is there such a parameter? --------------------------------------------------------


def _section_of(entry: Entry) -> str:
    """Return the section that ``entry`` belongs to, or refuse it."""
    if entry.section and entry.section not in DEFAULTS:
        raise ParameterError(_unknown_section(entry))
    section = entry.section or _SECTIONS_OF_NAME.get(entry.name, "")
    if entry.name and entry.name not in DEFAULTS.get(section, {}):
        raise ParameterError(_unknown_name(entry))
    return section


def _unknown_section(entry: Entry) -> str:
    near = difflib.get_close_matches(entry.section, DEFAULTS, n=1, cutoff=0.5)
    hint = f"did you mean [{near[0]}]?" if near else f"there are {', '.join(DEFAULTS)}"
    return f"{entry.origin}: there is no section [{entry.section}]; {hint}"


def _unknown_name(entry: Entry) -> str:
    if section := _SECTIONS_OF_NAME.get(entry.name):
        hint = f"it belongs into [{section}]"
    elif near := difflib.get_close_matches(entry.name, _SECTIONS_OF_NAME, 1, 0.5):
        hint = f"the nearest known one is {near[0]} in [{_SECTIONS_OF_NAME[near[0]]}]"
    elif entry.section:
        hint = f"[{entry.section}] has {', '.join(DEFAULTS[entry.section])}"
    else:
        hint = "see docs/reference/parameters.md for all of them"
    where = f" in [{entry.section}]" if entry.section else ""
    return f"{entry.origin}: there is no parameter {entry.name}{where}; {hint}"


# May it have that value? -----------------------------------------------------------


def _checked(section: str, entry: Entry) -> object:
    """Return the entry's value in the parameter's own type, or refuse it."""
    full_name = f"{section}.{entry.name}"
    try:
        value = typed(entry.value, type(DEFAULTS[section][entry.name]))
    except ValueError as error:
        raise _refused(full_name, entry, str(error)) from None
    if full_name in NOT_OFFERED:
        offered, sentence = NOT_OFFERED[full_name]
        if value != offered:
            raise _refused(full_name, entry, sentence)
    choices = CHOICES.get(full_name)
    if choices and value not in choices:
        raise _refused(full_name, entry, f"it must be {' or '.join(choices)}")
    limits = LIMITS.get(full_name)
    if limits and isinstance(value, int | float) and not limits.allow(value):
        raise _refused(full_name, entry, f"it must be {limits}")
    return value


def _refused(full_name: str, entry: Entry, why: str) -> ParameterError:
    return ParameterError(f"{entry.origin}: {full_name} = {entry.value!r}: {why}")
