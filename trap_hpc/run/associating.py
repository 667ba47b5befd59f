"""A new catalogue from extractions that exist: another run's, or TraP's tables."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from trap_hpc.catalogue.extraction_tables import ExtractionTables
from trap_hpc.catalogue.run_tables import read_run_tables
from trap_hpc.catalogue.store import Catalogue
from trap_hpc.catalogue.trap_tables import read_trap_tables
from trap_hpc.config import dump, load
from trap_hpc.files import keep_others_out
from trap_hpc.paths import RunPaths
from trap_hpc.pipeline.records import FinalTables, StepRows
from trap_hpc.run.log import RunLog
from trap_hpc.run.plan import Plan
from trap_hpc.run.planfile import write_plan
from trap_hpc.run.progress import Progress, Summary
from trap_hpc.run.reassociate import ReassociationCounts, reassociate
from trap_hpc.run.registry import new_run_id, register
from trap_hpc.run.status import summary_of, write_status
from trap_hpc.run.tally import Watch

CHECKPOINT_STEPS = 1000
"""So many time steps in one transaction: bounds what SQLite has to keep aside."""
TOLD_EVERY_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Association:
    """Extractions to be associated, and how and where."""

    tables: ExtractionTables
    plan: Plan


def plan_association(
    source: str,
    *,
    out: Path | None = None,
    params: Path | None = None,
    overrides: Sequence[str] = (),
    database: str | None = None,
    monitor: Sequence[tuple[float, float]] = (),
) -> Association:
    """Read extractions: ``source`` is a folder of TraP's tables, a run, a catalogue.

    Parameters are the source's own where it has them, under ``params`` and
    ``overrides``. Positions of ``monitor`` come after those of the source.

    Raises
    ------
    UsageError
        There are no such tables, or a parameter is wrong.
    CatalogueError
        The source can't be read.
    """
    folder = Path(source)
    of_trap = (folder / "image.csv").exists()
    tables = read_trap_tables(folder) if of_trap else read_run_tables(source)
    tables = replace(tables, monitor=(*tables.monitor, *monitor))
    run_id = new_run_id()
    return Association(
        tables=tables,
        plan=Plan(
            run_id=run_id,
            directory=out or Path("runs") / run_id,
            images=(),
            parameters=load(
                params, overrides, base=tables.parameters, base_origin=source
            ),
            engine="serial",
            workers=1,
            database=database,
            monitor=tables.monitor,
        ),
    )


def associate(
    association: Association, watch: Watch = lambda _: None
) -> tuple[Summary, ReassociationCounts]:
    """Associate, and write the catalogue into a run directory of its own.

    Raises
    ------
    UsageError
        The run directory can't be made.
    RunError
        The catalogue can't be written; start again.
    """
    plan, tables = association.plan, association.tables
    paths = RunPaths(plan.directory)
    keep_others_out()
    paths.make()
    write_plan(plan, dump(plan.parameters))
    register(plan.run_id, plan.directory)
    parameters = plan.parameters.parameters
    with Catalogue.create(
        paths.catalogue,
        parameters=parameters,
        run_id=plan.run_id,
        publish_to=plan.database,
    ) as catalogue:
        writer = _Writer(catalogue, len(tables.images), watch)
        counted = reassociate(tables, parameters, writer)
        catalogue.publish(RunLog(paths.log))
    write_status(paths.status, writer.progress("done"))
    summary = summary_of(plan, writer.elapsed_s)
    RunLog(paths.log)(f"associated {summary.associated} images, {counted}")
    return summary, counted


class _Writer:
    """Writes to a catalogue and tells how far it is."""

    def __init__(self, catalogue: Catalogue, images: int, watch: Watch) -> None:
        self._catalogue = catalogue
        self._images = images
        self._watch = watch
        self._began = time.monotonic()
        self._told_s = 0.0
        self._steps = self._done = 0

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self._began

    def add_step(self, rows: StepRows) -> None:
        self._catalogue.add_step(rows)
        self._steps += 1
        self._done += len(rows.images)
        if self._steps % CHECKPOINT_STEPS == 0:
            self._catalogue.checkpoint()
        if self.elapsed_s - self._told_s > TOLD_EVERY_S:
            self._told_s = self.elapsed_s
            self._watch(self.progress("associating"))

    def finish(self, tables: FinalTables) -> None:
        self._watch(self.progress("finishing"))
        self._catalogue.finish(tables)

    def progress(self, phase: str) -> Progress:
        rate_per_s = self._done / max(self.elapsed_s, 1e-9)
        left = self._images - self._done
        return Progress(
            phase=phase,
            images=self._images,
            scanned=self._images,
            measured=self._images,
            associated=self._done,
            refused=0,
            elapsed_s=self.elapsed_s,
            rate_per_s=rate_per_s,
            left_s=left / rate_per_s if rate_per_s else None,
        )
