"""What a new catalogue starts with, and what the writer asks of an old one."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

import trap_hpc
from trap_hpc.catalogue import own_tables, rows, schema
from trap_hpc.catalogue.database import sqlite_engine
from trap_hpc.catalogue.names import LIGHT_CURVES_NAME
from trap_hpc.catalogue.tables import make_tables
from trap_hpc.config.parameters import JobParameters

_CONFIG = rows.insert(schema.CONFIG, ("dataset", "section", "key", "value", "type"))


def begin(path: Path, parameters: JobParameters, run_id: str, now: datetime) -> None:
    """Make the file, complete or not at all, with what is known before any image."""
    temporary = path.with_name(f".{path.name}.part")
    temporary.unlink(missing_ok=True)
    try:
        with sqlite_engine(temporary, create=True).begin() as connection:
            make_tables(connection)
            _begin(connection, parameters, run_id, now)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _begin(
    connection: sa.Connection, parameters: JobParameters, run_id: str, now: datetime
) -> None:
    connection.execute(
        schema.DATASET.insert(),
        {
            "id": rows.DATASET_ID,
            "process_start_ts": now,
            "description": parameters.persistence.description[:100],
        },
    )
    connection.execute(
        own_tables.INFO.insert(),
        {
            "dataset": rows.DATASET_ID,
            "schema_version": own_tables.SCHEMA_VERSION,
            "run_id": run_id,
            "trap_hpc_version": trap_hpc.__version__,
            "created": now,
            "steps_done": 0,
        },
    )
    connection.exec_driver_sql(_CONFIG, rows.config_tuples(parameters))


def thresholds(connection: sa.Connection) -> tuple[float, float]:
    """Return the detection and the analysis threshold, which ``image`` repeats."""
    config = schema.CONFIG.c
    query = sa.select(config.key, config.value).where(
        config.section == "source_extraction"
    )
    values = {row.key: row.value for row in connection.execute(query)}
    return float(values["detection_threshold"]), float(values["analysis_threshold"])


def remove(path: Path) -> None:
    """Delete a catalogue and its light curves, if they are there."""
    for name in (path.name, f"{path.name}-journal", LIGHT_CURVES_NAME):
        path.with_name(name).unlink(missing_ok=True)
