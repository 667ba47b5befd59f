"""How far a run is, for whoever looks from outside, and what came of it."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from trap_hpc.alive import this_process
from trap_hpc.catalogue.counts import counts
from trap_hpc.files import write_whole
from trap_hpc.run.plan import Plan
from trap_hpc.run.progress import Progress, Summary
from trap_hpc.run.tally import Watch

SCHEMA_VERSION = 1
WRITTEN_EVERY_S = 1.0
LAST_PHASES = ("finishing", "done", "stopped")


def write_status(path: Path, progress: Progress) -> None:
    """Replace the status file as a whole.

    Raises
    ------
    StorageError
        It can't be written.
    """
    record = {
        "schema_version": SCHEMA_VERSION,
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "launcher": asdict(this_process()),
        **asdict(progress),
    }
    write_whole(path, json.dumps(record).encode())


def also_to_file(watch: Watch, path: Path) -> Watch:
    """Tell ``watch``, and who reads the status file; the file at most once a second."""
    last_s = -WRITTEN_EVERY_S

    def tell(progress: Progress) -> None:
        nonlocal last_s
        watch(progress)
        due = progress.elapsed_s - last_s >= WRITTEN_EVERY_S
        if due or progress.phase in LAST_PHASES:
            write_status(path, progress)
            last_s = progress.elapsed_s

    return tell


def summary_of(plan: Plan, elapsed_s: float) -> Summary:
    """Return what the catalogue of a finished run says.

    Raises
    ------
    CatalogueError
        It can't be read.
    """
    found = counts(plan.directory)
    return Summary(
        run_id=plan.run_id,
        directory=plan.directory,
        images=found.images,
        associated=found.associated,
        rejections=found.rejections,
        refusals=found.refusals,
        sources=found.sources,
        candidates=found.candidates,
        likely=found.likely,
        elapsed_s=elapsed_s,
        database=plan.database,
    )
