"""Where a run's tasks are worked on: engine, site, number of workers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from trap_hpc.config.environment import cores
from trap_hpc.config.sites import (
    SourcedSite,
    default_site,
    load_site,
    load_site_file,
)
from trap_hpc.errors import UsageError

REMOTE = "celery"
ENGINES = ("processes", "serial", REMOTE)
HERE, SLURM = "local", "slurm"
"""Sites that are meant where none is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What the user says of it. None and empty: nothing."""

    engine: str | None = None
    workers: int | None = None
    site: str = ""
    """Name or file of a profile."""
    settings: tuple[str, ...] = ()
    """``key=value``, over what the profile says."""
    broker_password_file: Path | None = None
    in_allocation: bool = False
    """Workers are started within the job that this process is in."""

    @property
    def of_a_site(self) -> bool:
        """Whether something is said that only a site can have."""
        file = self.broker_password_file
        return bool(self.site or self.settings or file or self.in_allocation)


def site_of(place: Place, stored: Path | None = None) -> SourcedSite | None:
    """Return the site that is meant, if any; ``stored`` is that of an earlier session.

    Raises
    ------
    UsageError
        There is no such engine or site, or they don't go together.
    """
    if place.engine not in (None, *ENGINES):
        raise UsageError(
            f"there is no engine {place.engine!r}; there are {', '.join(ENGINES)}"
        )
    if place.engine not in (None, REMOTE):
        _refuse_site(place)
        return None
    if stored is not None and not place.site:
        return load_site_file(stored, place.settings)
    name, named_by = _named(place)
    return load_site(name, place.settings, named_by=named_by) if name else None


def _refuse_site(place: Place) -> None:
    if place.of_a_site:
        raise UsageError(
            f"--engine {place.engine} works on this machine alone: leave it out, or "
            "leave out --site and what belongs to a site"
        )


def _named(place: Place) -> tuple[str, str]:
    """Return the name of the site that is meant, and who says so."""
    if place.site:
        return place.site, "command line"
    if default := default_site():
        return default
    if place.in_allocation:
        return SLURM, "--in-allocation"
    if place.engine == REMOTE or place.broker_password_file:
        return HERE, f"--engine {REMOTE}"
    keys = [setting.partition("=")[0] for setting in place.settings]
    if "broker" in keys:
        return HERE, "--broker"
    if keys:
        raise UsageError(
            f"{', '.join(keys)}: that is said of a cluster; name it with --site "
            "(`trap-hpc sites` lists them)"
        )
    return "", ""


def within_allocation(site: SourcedSite) -> SourcedSite:
    """Return ``site`` as it is from within a job that has all the nodes."""
    told = dict.fromkeys(("scheduler", "launcher"), "--in-allocation")
    return replace(
        site,
        site=replace(site.site, scheduler="srun", launcher="login"),
        origins=tuple((dict(site.origins) | told).items()),
    )


def worker_count(engine: str, site: SourcedSite | None, wanted: int | None) -> int:
    """Return how many workers a run gets: what the place has if nobody says.

    Raises
    ------
    UsageError
        Fewer than one are wanted.
    """
    if wanted is not None and wanted < 1:
        raise UsageError(f"--workers {wanted}: at least 1 is needed")
    if engine == "serial":
        return 1
    if wanted:
        return wanted
    if site is None:
        return cores()
    from trap_hpc.schedulers.request import default_workers

    return default_workers(site.site)
