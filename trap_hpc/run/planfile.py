"""``plan.toml``: how a run was begun, for those who go on with it."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from trap_hpc import __version__
from trap_hpc.config import load
from trap_hpc.config.sites import dump_site
from trap_hpc.config.tomlfile import toml_value
from trap_hpc.errors import RunError
from trap_hpc.files import checksum, write_whole
from trap_hpc.identity import (
    differences,
    identity,
    read_code_record,
    refusal,
    require_snapshot,
    running_from,
    surroundings,
)
from trap_hpc.paths import RunPaths
from trap_hpc.run.place import REMOTE, Place, site_of
from trap_hpc.run.plan import Plan, at_place

SCHEMA_VERSION = 1
_RUN_ID = re.compile(r"[A-Za-z0-9][\w-]*", re.ASCII)
"""It is the name of a file and of jobs."""


def write_plan(plan: Plan, parameters_text: str, snapshot: str = "") -> None:
    """Write the plan, the site and the parameters into the run directory.

    ``snapshot`` is the checksum of the run's code, if it keeps any.

    Raises
    ------
    StorageError
        They can't be written.
    """
    paths = RunPaths(plan.directory)
    write_whole(paths.parameters, parameters_text.encode())
    write_site(plan)
    lines = _lines(plan, checksum(parameters_text.encode()), snapshot)
    write_whole(paths.plan, ("\n".join(lines) + "\n").encode())


def write_site(plan: Plan) -> None:
    """Write the values of the plan's site into the run directory, if it has one.

    Raises
    ------
    StorageError
        They can't be written.
    """
    if plan.profile is not None:
        write_whole(RunPaths(plan.directory).site, dump_site(plan.profile).encode())


def _lines(plan: Plan, parameters: str, snapshot: str) -> Iterator[str]:
    monitor = ", ".join(f"[{ra!r}, {decl!r}]" for ra, decl in plan.monitor)
    yield f"schema_version = {SCHEMA_VERSION}"
    yield f'run_id = "{plan.run_id}"'
    yield f'trap_hpc = "{__version__}"'
    yield f'identity = "{identity()}"'
    if snapshot:
        yield f'snapshot = "{snapshot}"'
    yield f'parameters = "{parameters}"'
    yield f"files = {len(plan.images)}"
    yield f'engine = "{plan.engine}"'
    if plan.workers_named:
        yield f"workers = {plan.workers}"
    if plan.batch_size:
        yield f"batch_size = {plan.batch_size}"
    yield f"monitor = [{monitor}]"
    if plan.database:
        yield f"database = {toml_value(plan.database)}"
    if plan.broker_password_file:
        path = os.path.abspath(plan.broker_password_file)
        yield f"broker_password_file = {toml_value(path)}"


def read_plan(directory: Path, place: Place | None = None) -> Plan:
    """Read the plan of an earlier run, to go on with it; ``place`` may be another.

    Raises
    ------
    RunError
        It was begun with other parameters, or can't be read.
    UsageError
        The engine, the site or the number of workers is wrong.
    """
    paths = RunPaths(directory)
    record = _read(paths.plan)
    _check_parameters(paths.parameters, record["parameters"])
    if not _RUN_ID.fullmatch(record["run_id"]):
        raise RunError(f"{paths.plan}: {record['run_id']!r} is no run's id")
    plan = Plan(
        run_id=record["run_id"],
        directory=directory,
        images=(),
        parameters=load(paths.parameters),
        engine="",
        workers=0,
        database=record.get("database"),
        monitor=tuple((ra, decl) for ra, decl in record["monitor"]),
        batch_size=record.get("batch_size"),
    )
    place = _resumed(place or Place(), record)
    stored = paths.site if place.engine == REMOTE and paths.site.exists() else None
    return at_place(plan, place, site_of(place, stored))


def _resumed(place: Place, record: Mapping[str, Any]) -> Place:
    """Add to what the user says now what was said when the run was begun."""
    begun = str(record["engine"])
    engine = place.engine
    if engine is None and (begun == REMOTE or not place.of_a_site):
        engine = begun
    again = engine == begun
    file = record.get("broker_password_file")
    return replace(
        place,
        engine=engine,
        workers=place.workers or (record.get("workers") if again else None),
        broker_password_file=place.broker_password_file
        or (Path(file) if file and again else None),
    )


def require_same_code(directory: Path) -> None:
    """Make sure that a run goes on with the code that it was begun with.

    Raises
    ------
    RunError
        It was begun with other code, or its own copy of the code was changed.
    """
    paths = RunPaths(directory)
    record = _read(paths.plan)
    if differs := refusal(paths.identity, record["identity"]):
        raise RunError(
            f"{directory} was begun by trap-hpc {record['trap_hpc']}, and this is "
            f"{__version__}: {differs}. Results of both would be mixed: install what "
            "it was begun with, or start a new run"
        )
    if "snapshot" in record and paths.code.exists():
        require_snapshot(paths.code, record["snapshot"])


def own_code(directory: Path) -> Path | None:
    """Return the run's snapshot if this process should go on from there.

    None if it does already, if the run keeps no code, or if Python or what it has
    installed is not what the run was begun with: then `require_same_code` says more.

    Raises
    ------
    RunError
        The snapshot was changed.
    """
    paths = RunPaths(directory)
    record = _read(paths.plan)
    if "snapshot" not in record or not paths.code.exists() or running_from(paths.code):
        return None
    require_snapshot(paths.code, record["snapshot"])
    begun = read_code_record(paths.identity).surroundings
    return None if differences(begun, surroundings()) else paths.code


def _check_parameters(path: Path, expected: str) -> None:
    try:
        found = checksum(path.read_bytes())
    except OSError as error:
        raise RunError(f"{path} can't be read: {error}") from None
    if found != expected:
        raise RunError(
            f"{path} is not what the run was begun with: results of both would be "
            "mixed. Put it back, or start a new run with --params"
        )


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise RunError(f"{path} can't be read: {error}") from None
