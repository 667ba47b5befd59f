"""Options that several commands share, and the reading of their values."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from trap_hpc.errors import UsageError

if TYPE_CHECKING:
    from trap_hpc.run.place import Place

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
        type=click.Choice(["processes", "serial", "celery"]),
        help="Worker processes (the default); all in this process, for debuggers; or "
        "workers that come to a broker, as --site has them.",
    ),
    click.option(
        "--workers",
        type=click.IntRange(min=1),
        metavar="N",
        help="Worker processes; by default one a core here, or what the site says.",
    ),
]

profile_options = [
    click.option(
        "--site",
        metavar="NAME|FILE",
        help="Work on this cluster: see `trap-hpc sites`.",
    ),
    click.option("--queue", metavar="NAME", help="Queue or partition of the jobs."),
    click.option("--account", metavar="NAME", help="What is charged for the jobs."),
    click.option("--walltime", metavar="HH:MM:SS", help="Time limit of each job."),
    click.option(
        "--cores",
        type=click.IntRange(min=1),
        metavar="N",
        help="Cores of each job, a worker each.",
    ),
    click.option("--memory", metavar="SIZE", help="Memory of each job, such as 8GB."),
    click.option(
        "--site-set",
        "settings",
        multiple=True,
        metavar="KEY=VALUE",
        help="Set any value of the site's profile. Repeatable.",
    ),
    click.option(
        "--broker",
        metavar="URL",
        help="Use a broker that is there already: amqps://user@host/vhost, "
        "rediss://user@host:6379/0. By default each run brings up its own.",
    ),
    click.option(
        "--broker-password-file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="The password for it, in a file that you alone may read.",
    ),
]

site_options = [
    *profile_options,
    click.option(
        "--in-allocation",
        is_flag=True,
        help="Start the workers with srun in the Slurm job that this runs in.",
    ),
]

detach_option = click.option(
    "--detach",
    is_flag=True,
    help="Leave the run to itself once it has begun; `trap-hpc attach` watches it.",
)

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


def place_of(
    *,
    engine: str | None,
    site: str | None,
    settings: tuple[str, ...],
    broker_password_file: Path | None,
    workers: int | None = None,
    in_allocation: bool = False,
    **values: str | int | None,
) -> Place:
    """Gather what the engine's and the site's options say.

    ``values`` are values of the site's profile that have an option of their own.
    """
    from trap_hpc.run.place import Place

    direct = (f"{key}={value}" for key, value in values.items() if value is not None)
    return Place(
        engine=engine,
        workers=workers,
        site=site or "",
        settings=(*settings, *direct),
        broker_password_file=broker_password_file,
        in_allocation=in_allocation,
    )


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
