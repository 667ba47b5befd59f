"""What a run will do, before anything is done: images, parameters, engine, places."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from trap_hpc.config import Sourced, load
from trap_hpc.config.sites import SourcedSite
from trap_hpc.errors import UsageError
from trap_hpc.pipeline.images import expand
from trap_hpc.run.place import (
    ENGINES,
    REMOTE,
    Place,
    site_of,
    within_allocation,
    worker_count,
)
from trap_hpc.run.registry import new_run_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run. ``images`` are files; a file may hold many images."""

    run_id: str
    directory: Path
    images: tuple[str, ...]
    parameters: Sourced
    engine: str
    workers: int
    workers_named: bool = False
    """Whether the user named their number; else it is what the place has."""
    site: SourcedSite | None = None
    """Where workers are asked for; None: they are processes of this machine."""
    profile: SourcedSite | None = None
    """The site as it is outside of its jobs: what the run directory keeps."""
    broker_password_file: Path | None = None
    """For a broker of the user's own, which the site names."""
    database: str | None = None
    monitor: tuple[tuple[float, float], ...] = ()
    batch_size: int | None = None
    cores: tuple[int, ...] = ()
    """Pin the workers to these cores, one after the other."""


def make_plan(
    arguments: Sequence[str],
    *,
    out: Path | None = None,
    params: Path | None = None,
    overrides: Sequence[str] = (),
    engine: str | None = None,
    workers: int | None = None,
    place: Place | None = None,
    database: str | None = None,
    monitor: Sequence[tuple[float, float]] = (),
    batch_size: int | None = None,
    pinned_cores: Sequence[int] = (),
) -> Plan:
    """Turn the user's words into a plan; nothing is written yet.

    ``place`` says all that ``engine`` and ``workers`` say, and more.

    Raises
    ------
    UsageError
        No image is found, or a parameter, a site or an option is wrong.
    """
    run_id = new_run_id()
    files = [os.path.abspath(path) for path in expand(arguments)]
    plan = Plan(
        run_id=run_id,
        directory=importable(out or Path("runs") / run_id),
        images=tuple(files),
        parameters=load(params, overrides),
        engine="",
        workers=0,
        database=database,
        monitor=tuple(monitor),
        batch_size=batch_size,
        cores=tuple(pinned_cores),
    )
    place = place or Place(engine=engine, workers=workers)
    return at_place(plan, place, site_of(place))


def at_place(plan: Plan, place: Place, site: SourcedSite | None) -> Plan:
    """Return ``plan`` with the engine, the site and the workers that were named.

    Raises
    ------
    UsageError
        Fewer than one worker is wanted, or the site does not have them.
    """
    engine = REMOTE if site else place.engine or ENGINES[0]
    inside = within_allocation(site) if site and place.in_allocation else site
    return replace(
        plan,
        # Jobs elsewhere don't know what it is relative to.
        directory=plan.directory.absolute() if site else plan.directory,
        engine=engine,
        site=inside,
        profile=site,
        workers=worker_count(engine, inside, place.workers),
        workers_named=place.workers is not None,
        broker_password_file=place.broker_password_file,
    )


def importable(directory: Path) -> Path:
    """Return ``directory`` if Python can import the snapshot that a run keeps there.

    Raises
    ------
    UsageError
        It can't.
    """
    absolute = os.path.abspath(directory)
    if os.pathsep in absolute:
        raise UsageError(
            f"{absolute}: Python imports nothing from a folder with {os.pathsep!r} in "
            "its name, and a run keeps its own code there; name another with --out"
        )
    return directory
