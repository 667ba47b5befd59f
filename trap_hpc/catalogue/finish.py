"""What the last image settles: splits, sources, variability, indexes."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from trap_hpc.catalogue import own_tables, rows, schema
from trap_hpc.catalogue.lightcurves import LightCurveFile, light_curves
from trap_hpc.catalogue.tables import index_light_curves, index_references
from trap_hpc.pipeline.lightcurves import varmetrics
from trap_hpc.pipeline.records import FinalTables, Rows

_COPY_TO_CHILD = """
INSERT INTO assocxtrsource (runcat, xtrsrc, type, distance_arcsec, r, loglr,
                            v_int, eta_int, f_datapoints)
SELECT ?, xtrsrc, 6, distance_arcsec, r, loglr, v_int, eta_int, f_datapoints
  FROM assocxtrsource WHERE runcat = ? ORDER BY id
"""
_FORGET_FORCED_FITS_OF = """
UPDATE extractedsource SET ff_runcat = NULL
 WHERE ff_runcat = ? AND id IN (SELECT xtrsrc FROM assocxtrsource WHERE runcat = ?)
"""
_SIGMAS = """
SELECT n.runcat, n.id, e.f_int / i.rms_max, e.f_int / i.rms_min
  FROM newsource n JOIN extractedsource e ON e.id = n.trigger_xtrsrc
  JOIN image i ON i.id = n.previous_limits_image
 ORDER BY n.id DESC
"""
_SIGMA_COLUMNS = ("newsource", "sigma_rms_max", "sigma_rms_min")
_NO_SIGMA = (None, None, None)


def write_final(
    connection: sa.Connection, final: FinalTables, file: Path, now: datetime
) -> None:
    """Complete the catalogue and the light curves' file, without committing."""
    index_light_curves(connection)
    _apply_splits(connection, final.splits)
    _insert_tables(connection, final)
    _write_light_curves(connection, file)
    index_references(connection)
    connection.execute(schema.DATASET.update(), {"process_end_ts": now})
    connection.execute(own_tables.INFO.update(), {"finished": True})


def _apply_splits(connection: sa.Connection, splits: Rows) -> None:
    """Give the points of replaced sources to those that replace them.

    In the order of happening, so that a child that was replaced in its turn hands on
    what it inherited. Type 6 is TraP's for inherited points.
    """
    if not len(splits):
        return
    pairs = rows.chosen(splits, ("child", "parent"))
    connection.exec_driver_sql(_COPY_TO_CHILD, pairs)
    dead = [(int(parent),) for parent in np.unique(splits["parent"])]
    connection.exec_driver_sql(_FORGET_FORCED_FITS_OF, [(*p, *p) for p in dead])
    connection.exec_driver_sql("DELETE FROM assocxtrsource WHERE runcat = ?", dead)


def _insert_tables(connection: sa.Connection, final: FinalTables) -> None:
    """Write the tables that are only known now."""
    of_run = {"dataset": rows.DATASET_ID}
    _insert(connection, schema.FREQUENCYBAND, final.frequencyband, **of_run)
    _insert(connection, schema.SKYREGION, final.skyregion, **of_run)
    _insert(connection, schema.RUNNINGCATALOG, final.runningcatalog, **of_run)
    _insert(connection, schema.RUNNINGCATALOG_FLUX, final.runningcatalog_flux)
    _insert(connection, schema.NEWSOURCE, final.newsource)
    _insert(connection, schema.ASSOCSKYRGN, final.assocskyrgn)
    _insert(connection, schema.MONITOR, final.monitor, **of_run)
    connection.exec_driver_sql("UPDATE monitor SET runcat = NULL WHERE runcat = 0")


def _insert(
    connection: sa.Connection, table: sa.Table, data: Rows, **constants: object
) -> None:
    names = [*(data.dtype.names or ()), *constants]
    tuples = rows.chosen(data, names, **constants)
    if tuples:
        connection.exec_driver_sql(rows.insert(table, names), tuples)


def _write_light_curves(connection: sa.Connection, path: Path) -> None:
    """Read every light curve once: for its file, and for its row of varmetric."""
    sigmas = {row[0]: row[1:] for row in connection.exec_driver_sql(_SIGMAS)}
    with LightCurveFile(path, connection) as file:
        for points in light_curves(connection, path.parent):
            file.append(points)
            _insert_varmetric(connection, points, sigmas)


def _insert_varmetric(
    connection: sa.Connection, points: Rows, sigmas: dict[int, tuple[Any, ...]]
) -> None:
    numbers = varmetrics(
        *(points[name] for name in ("runcat", "taustart_us", "band")),
        *(points[name] for name in ("f_int", "v_int", "eta_int")),
    )
    names = numbers.dtype.names or ()
    statement = rows.insert(schema.VARMETRIC, [*names, *_SIGMA_COLUMNS])
    connection.exec_driver_sql(
        statement,
        [(*row, *sigmas.get(row[0], _NO_SIGMA)) for row in numbers.tolist()],
    )
