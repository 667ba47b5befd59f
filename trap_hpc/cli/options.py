"""Options that several commands share, and the reading of their values."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from trap_hpc.errors import UsageError

Function = TypeVar("Function", bound=Callable[..., Any])
Position = tuple[float, float]
"""Right ascension and declination in degrees."""

places_options = [
    click.option(
        "--out",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="The run directory to make; by default runs/<run-id>.",
    ),
    click.option(
        "--db",
        metavar="URL",
        help="Put the catalogue also into postgresql://user@host/database.",
    ),
]

parameters_options = [
    click.option(
        "--params",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Job parameters: TOML, or TraP's job_params.cfg.",
    ),
    click.option(
        "--set",
        "overrides",
        multiple=True,
        metavar="NAME=VALUE",
        help="Set one job parameter, e.g. detection_threshold=5. Repeatable.",
    ),
]

engine_options = [
    click.option(
        "--engine",
        type=click.Choice(["processes", "serial"]),
        help="Worker processes (the default), or all in this process, for debuggers.",
    ),
    click.option(
        "--workers",
        type=click.IntRange(min=1),
        metavar="N",
        help="Worker processes; by default one a core.",
    ),
]

monitor_options = [
    click.option(
        "-m",
        "--monitor-coords",
        metavar="JSON",
        help="Positions to measure in every image: '[[ra,dec],...]' in degrees.",
    ),
    click.option(
        "-l",
        "--monitor-list",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="The same from a JSON file.",
    ),
]


def add_options(
    *groups: list[Callable[[Function], Function]],
) -> Callable[[Function], Function]:
    """Give a command all options of ``groups``, in their order."""

    def decorate(function: Function) -> Function:
        for option in reversed([option for group in groups for option in group]):
            function = option(function)
        return function

    return decorate


def database_url(text: str | None) -> str | None:
    """Check what ``--db`` says.

    Raises
    ------
    UsageError
        It is no PostgreSQL URL, or has a password in it.
    """
    from trap_hpc.catalogue.address import has_password, is_database_url, redacted

    if text is None:
        return None
    if not is_database_url(text):
        raise UsageError(
            f"--db {redacted(text)}: it must be postgresql://user@host/database; "
            "catalogue.sqlite is written in any case"
        )
    if has_password(text):
        raise UsageError(
            f"--db {redacted(text)}: a password on a command line is seen by every "
            "user of this machine; put it into ~/.pgpass (mode 0600) or PGPASSWORD"
        )
    return text


def monitor_positions(
    text: str | None, file: Path | None
) -> tuple[tuple[float, float], ...]:
    """Read what ``-m`` and ``-l`` say.

    Raises
    ------
    UsageError
        It is no list of positions.
    """
    positions = [] if text is None else _positions(text, "--monitor-coords")
    if file is not None:
        try:
            positions += _positions(file.read_text(encoding="utf-8"), str(file))
        except (OSError, UnicodeDecodeError) as error:
            what = getattr(error, "strerror", None) or "it is not a text file"
            raise UsageError(f"can't read the monitoring list {file}: {what}") from None
    return tuple(positions)


def _positions(text: str, origin: str) -> list[Position]:
    form = f"{origin}: write positions as [[ra,dec],...] in degrees"
    try:
        pairs = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{form} ({error})") from None
    if not isinstance(pairs, list):
        raise UsageError(f"{form}, a list of pairs")
    return [_position(pair, form) for pair in pairs]


def _position(pair: object, form: str) -> Position:
    if not isinstance(pair, list) or len(pair) != 2 or not all(map(_is_number, pair)):
        raise UsageError(f"{form}, not {pair!r}")
    ra_deg, decl_deg = map(float, pair)
    if not (0 <= ra_deg <= 360 and -90 <= decl_deg <= 90):
        raise UsageError(f"{form}: {pair} is outside 0..360, -90..90")
    return ra_deg % 360, decl_deg


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
