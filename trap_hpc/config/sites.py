"""Sites: what profiles, variables and the command line add up to.

A value comes from the last of these that has it: the profile of that name in the
package, in ``/etc/xdg/trap_hpc``, in ``~/.config/trap_hpc``; ``[site]`` of
``./trap_hpc.toml``; ``TRAP_HPC_*`` variables; the command line.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from trap_hpc.config.environment import variables
from trap_hpc.config.judging import DEFAULTS, SourcedSite, judged
from trap_hpc.config.profiles import (
    entries_of,
    files_of,
    is_packaged,
    known_names,
    profile_entries,
    project_entries,
    text_of,
)
from trap_hpc.config.tomlfile import Entry, comment, toml_value
from trap_hpc.errors import UsageError

__all__ = [
    "KnownSite",
    "SourcedSite",
    "check_site_file",
    "default_site",
    "dump_site",
    "known_sites",
    "load_site",
    "load_site_file",
]

SCHEMA_VERSION = 1
PREFIX = "TRAP_HPC_"
FLAG = "command line"
NO_KEYS = ("SITE", "BROKER_PASSWORD", "RUN", "JOB", "WORKER", "WORKER_AGAIN")
"""Variables of ours that are no values of a profile; jobs have some of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownSite:
    """A profile in a list of profiles."""

    name: str
    scheduler: str = ""
    description: str = ""
    tried: str = ""
    """Who has run it and when; empty: nobody has."""
    packaged: bool
    """Whether it comes with this package."""
    files: tuple[str, ...]
    """All files of that name; the last one's values win."""
    fault: str = ""
    """Why it can't be used."""


def load_site(
    name_or_path: str, overrides: Sequence[str] = (), *, named_by: str = FLAG
) -> SourcedSite:
    """Read a profile by its name, or from a file (``*.toml``, or anything with a /).

    ``overrides`` are ``key=value``, from the command line. ``named_by`` is the origin
    of the name.

    Raises
    ------
    UsageError
        There is no such site, or a file, variable or override is wrong: unknown keys
        and impossible values are told all at once, each with its place.
    """
    name, entries = profile_entries(name_or_path)
    entries += _project_entries(name)
    entries += _variable_entries()
    entries += [_override(text) for text in overrides]
    return judged(name, named_by, entries)


def default_site() -> tuple[str, str] | None:
    """Return the site to use if the user names none, and the origin of that.

    Raises
    ------
    UsageError
        ``./trap_hpc.toml`` can't be read.
    """
    if name := variables(PREFIX).get("SITE"):
        return name, f"{PREFIX}SITE"
    names = [entry for entry in project_entries() if entry.name == "name"]
    return (str(names[0].value), names[0].origin) if names else None


def known_sites() -> list[KnownSite]:
    """Return all profiles that are found by name, in alphabetical order."""
    return [_known(name) for name in known_names()]


def check_site_file(path: Path) -> SourcedSite:
    """Read one profile alone, to see whether it is good.

    Raises
    ------
    UsageError
        It is not; all faults are told at once.
    """
    name, entries = profile_entries(f"{path.parent}/{path.name}")
    return judged(name, str(path), entries)


def load_site_file(path: Path, overrides: Sequence[str] = ()) -> SourcedSite:
    """Read what `dump_site` wrote: the same site with the same origins.

    ``overrides`` are as those of `load_site`.

    Raises
    ------
    UsageError
        The file can't be read, or was changed into something impossible.
    """
    origins = _origins_within(text_of(path))
    entries = {entry.name: entry for entry in entries_of(path, str(path))}
    name = entries.pop("name", None)
    sourced = [
        replace(entry, origin=origins.get(entry.name, entry.origin))
        for entry in entries.values()
    ]
    sourced += [_override(text) for text in overrides]
    return judged(
        str(name.value) if name else path.stem, origins.get("name", str(path)), sourced
    )


def dump_site(sourced: SourcedSite, *, named: bool = True) -> str:
    """Return all values as TOML, the origin of each as a comment.

    Not ``named``: as a profile has them, which goes by its file's name.
    """
    origins = dict(sourced.origins)
    lines = [f"schema_version = {SCHEMA_VERSION}"]
    lines += [
        f"{key} = {toml_value(value)}  # {comment(origins[key])}"
        for key, value in asdict(sourced.site).items()
        if named or key != "name"
    ]
    return "\n".join(lines) + "\n"


def _known(name: str) -> KnownSite:
    files = tuple(str(file) for file in files_of(name))
    packaged = is_packaged(name)
    try:
        site = judged(name, FLAG, profile_entries(name)[1]).site
    except UsageError as error:
        return KnownSite(name=name, packaged=packaged, files=files, fault=str(error))
    return KnownSite(
        name=name,
        packaged=packaged,
        files=files,
        scheduler=site.scheduler,
        description=site.description,
        tried=site.tried,
    )


def _project_entries(site: str) -> list[Entry]:
    """Leave the project's values out if they are for another site."""
    entries = project_entries()
    names = [entry.value for entry in entries if entry.name == "name"]
    if names and names != [site]:
        return []
    return [entry for entry in entries if entry.name != "name"]


def _variable_entries() -> list[Entry]:
    return [
        Entry(section="", name=word.lower(), value=text, origin=f"{PREFIX}{word}")
        for word, text in variables(PREFIX).items()
        if word not in NO_KEYS
    ]


def _override(text: str) -> Entry:
    key, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"{text}: write it as key=value, for example queue=short")
    return Entry(section="", name=key.strip(), value=value.strip(), origin=FLAG)


def _origins_within(text: str) -> dict[str, str]:
    """Return the origins that `dump_site` wrote beside the values."""
    origins = {}
    for line in text.split("\n"):
        key, equals, rest = line.partition(" = ")
        if not equals or key not in DEFAULTS:
            continue
        try:
            end = json.JSONDecoder().raw_decode(rest)[1]
        except ValueError:  # somebody wrote it by hand
            continue
        if rest[end:].startswith("  # "):
            origins[key] = rest[end:].removeprefix("  # ")
    return origins
