"""What a new catalogue starts with, and what the writer asks of an old one."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

import trap_hpc
from trap_hpc.catalogue import own_tables, rows, schema
from trap_hpc.catalogue.names import LIGHT_CURVES_NAME
from trap_hpc.catalogue.tables import make_tables
from trap_hpc.config.parameters import JobParameters

_CONFIG = rows.insert(schema.CONFIG, ("dataset", "section", "key", "value", "type"))


def begin(
    connection: sa.Connection, parameters: JobParameters, run_id: str, now: datetime
) -> None:
    """Make the tables, and write what is known before the first image."""
    make_tables(connection)
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
