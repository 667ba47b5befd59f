"""Whether a site profile may have a key, and the key a value."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace

from trap_hpc.config.forms import FORMS
from trap_hpc.config.limits import NOT_NEGATIVE, POSITIVE
from trap_hpc.config.site import LAUNCHERS, SCHEDULERS, TLS, Site
from trap_hpc.config.tomlfile import Entry
from trap_hpc.config.values import typed
from trap_hpc.errors import UsageError
from trap_hpc.plaintext import redacted

DEFAULT = "default"
DEFAULTS: dict[str, object] = asdict(Site())

LIMITS = {
    "workers": NOT_NEGATIVE,
    "cores": NOT_NEGATIVE,
    "max_array_size": NOT_NEGATIVE,
    "max_jobs": NOT_NEGATIVE,
    "poll_s": POSITIVE,
    "submit_timeout_s": POSITIVE,
    "time_limit_s": NOT_NEGATIVE,
    "lease_s": POSITIVE,
    "beat_s": POSITIVE,
}
CHOICES = {"scheduler": SCHEDULERS, "launcher": LAUNCHERS, "tls": TLS}

NAMES = ("interface", "environment", "job_directives_skip")
"""Lists that may be written as one text with commas; the others: a line an element."""


@dataclass(frozen=True, slots=True)
class SourcedSite:
    """A site, and where each of its values comes from, by key."""

    site: Site
    origins: tuple[tuple[str, str], ...]


def judged(name: str, name_origin: str, entries: Iterable[Entry]) -> SourcedSite:
    """Put ``entries`` over the defaults; a later one wins.

    Raises
    ------
    UsageError
        Keys are unknown or values impossible; all of them are told at once.
    """
    values: dict[str, object] = {}
    origins = dict.fromkeys(DEFAULTS, DEFAULT) | {"name": name_origin}
    faults = []
    for entry in entries:
        try:
            key = known_key(entry.name)
            values[key] = checked(key, entry.value)
            origins[key] = entry.origin
        except ValueError as error:
            faults.append(f"{entry.origin}: {error}")
    site = replace(Site(name=name), **values)  # type: ignore[arg-type]
    faults += [] if faults else _contradictions(site, origins)
    if faults:
        raise UsageError("\n".join(faults))
    return SourcedSite(site, tuple(origins.items()))


def known_key(word: str) -> str:
    """Return the key that is spelled ``word``, with hyphens or underscores.

    Raises
    ------
    ValueError
        There is none.
    """
    key = word.replace("-", "_")
    if key == "name":
        raise ValueError("a profile goes by the name of its file; leave `name` out")
    if key in DEFAULTS:
        return key
    known = [key for key in DEFAULTS if key != "name"]
    near = difflib.get_close_matches(key.lower(), known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
    raise ValueError(f"a site profile has no key {word!r}; {hint}")


def checked(key: str, value: object) -> object:
    """Return ``value`` in the type and the form of ``key``.

    Raises
    ------
    ValueError
        It can't have that value.
    """
    try:
        if isinstance(DEFAULTS[key], tuple):
            return tuple(_formed(key, text) for text in _listed(key, value))
        value = typed(_number(value, key), type(DEFAULTS[key]))
        return _formed(key, value) if isinstance(value, str) else _limited(key, value)
    except ValueError as error:
        shown = redacted(f"{key} = {value!r}")
        raise ValueError(f"{shown}: {error}") from None


def _number(value: object, key: str) -> object:
    """Read a number that was spelled as text: a variable, the command line."""
    wanted = type(DEFAULTS[key])
    if isinstance(value, str) and wanted in (int, float):
        with suppress(ValueError):
            return wanted(value)
    return value


def _listed(key: str, value: object) -> list[str]:
    if isinstance(value, str):
        parts = value.split(",") if key in NAMES else value.splitlines()
    elif isinstance(value, list) and all(isinstance(part, str) for part in value):
        parts = value
    else:
        raise ValueError("it must be text, or a list of texts")
    return [part.strip() for part in parts if part.strip()]


def _formed(key: str, text: str) -> str:
    if not all(c.isprintable() or c == "\t" for c in text):
        raise ValueError("it must be one line of text")
    if key in CHOICES and text not in CHOICES[key]:
        raise ValueError(f"it must be {' or '.join(CHOICES[key])}")
    return FORMS[key](text) if text and key in FORMS else text


def _limited(key: str, value: object) -> object:
    if isinstance(value, int | float) and not LIMITS[key].allow(value):
        raise ValueError(f"it must be {LIMITS[key]}")
    return value


def _contradictions(site: Site, origins: dict[str, str]) -> list[str]:
    """Sentences about values that are fine alone and make no sense together."""
    if site.beat_s * 2 <= site.lease_s:
        return []
    return [
        f"beat_s = {site.beat_s:g} ({origins['beat_s']}): it must be at most half of "
        f"lease_s = {site.lease_s:g} ({origins['lease_s']}), or one late beat would "
        "end all workers"
    ]
