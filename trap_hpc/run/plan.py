"""What a run will do, before anything is done: images, parameters, engine, places."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trap_hpc import __version__
from trap_hpc.config import Sourced, load
from trap_hpc.config.environment import cores
from trap_hpc.errors import RunError, UsageError
from trap_hpc.files import checksum, write_whole
from trap_hpc.identity import identity
from trap_hpc.paths import RunPaths
from trap_hpc.pipeline import images
from trap_hpc.run.registry import new_run_id

SCHEMA_VERSION = 1
ENGINES = ("processes", "serial")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run. ``images`` are files; a file may hold many images."""

    run_id: str
    directory: Path
    images: tuple[str, ...]
    parameters: Sourced
    engine: str
    workers: int
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
    engine: str = "processes",
    workers: int | None = None,
    database: str | None = None,
    monitor: Sequence[tuple[float, float]] = (),
    batch_size: int | None = None,
    pinned_cores: Sequence[int] = (),
) -> Plan:
    """Turn the user's words into a plan; nothing is written yet.

    Raises
    ------
    UsageError
        No image is found, or a parameter or an option is wrong.
    """
    run_id = new_run_id()
    files = [os.path.abspath(path) for path in images.expand(arguments)]
    return Plan(
        run_id=run_id,
        directory=out or Path("runs") / run_id,
        images=tuple(files),
        parameters=load(params, overrides),
        engine=known_engine(engine),
        workers=worker_count(engine, workers),
        database=database,
        monitor=tuple(monitor),
        batch_size=batch_size,
        cores=tuple(pinned_cores),
    )


def known_engine(name: str) -> str:
    """Return ``name`` if there is such an engine.

    Raises
    ------
    UsageError
        There is none.
    """
    if name not in ENGINES:
        raise UsageError(f"there is no engine {name!r}; there are {', '.join(ENGINES)}")
    return name


def worker_count(engine: str, wanted: int | None) -> int:
    """Return how many workers a run gets: all cores that this process may use.

    Raises
    ------
    UsageError
        Fewer than one are wanted.
    """
    if wanted is not None and wanted < 1:
        raise UsageError(f"--workers {wanted}: at least 1 is needed")
    return 1 if engine == "serial" else wanted or cores()


def write_plan(plan: Plan, parameters_text: str) -> None:
    """Write the plan and the parameters into the run directory.

    Raises
    ------
    StorageError
        They can't be written.
    """
    paths = RunPaths(plan.directory)
    monitor = ", ".join(f"[{ra!r}, {decl!r}]" for ra, decl in plan.monitor)
    lines = [
        f"schema_version = {SCHEMA_VERSION}",
        f'run_id = "{plan.run_id}"',
        f'trap_hpc = "{__version__}"',
        f'identity = "{identity()}"',
        f'parameters = "{checksum(parameters_text.encode())}"',
        f"files = {len(plan.images)}",
        f'engine = "{plan.engine}"',
        f"workers = {plan.workers}",
        f"monitor = [{monitor}]",
    ]
    if plan.database:
        lines.append(f"database = {json.dumps(plan.database, ensure_ascii=False)}")
    write_whole(paths.parameters, parameters_text.encode())
    write_whole(paths.plan, ("\n".join(lines) + "\n").encode())


def read_plan(
    directory: Path, *, engine: str | None = None, workers: int | None = None
) -> Plan:
    """Read the plan of an earlier run, to go on with it.

    Raises
    ------
    RunError
        It was begun with other parameters, or can't be read.
    UsageError
        The engine or the number of workers is wrong.
    """
    record = _read(RunPaths(directory).plan)
    _check_parameters(RunPaths(directory).parameters, record["parameters"])
    engine = known_engine(engine or record["engine"])
    return Plan(
        run_id=record["run_id"],
        directory=directory,
        images=(),
        parameters=load(RunPaths(directory).parameters),
        engine=engine,
        workers=worker_count(engine, workers or record["workers"]),
        database=record.get("database"),
        monitor=tuple((ra, decl) for ra, decl in record["monitor"]),
    )


def require_same_code(directory: Path) -> None:
    """Make sure that a run goes on with the code that it was begun with.

    Raises
    ------
    RunError
        It was begun with other code.
    """
    record = _read(RunPaths(directory).plan)
    if record["identity"] != identity():
        raise RunError(
            f"{directory} was begun with code {record['identity']} (trap-hpc "
            f"{record['trap_hpc']}) and this is {identity()} (trap-hpc {__version__}): "
            "results of both would be mixed. Install the version that it was begun "
            "with, or start a new run"
        )


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
