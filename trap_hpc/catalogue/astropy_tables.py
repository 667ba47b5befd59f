"""Answers of a database as astropy tables with units."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa
from astropy.table import MaskedColumn, Table

UNITS = {
    "deg": "ra decl wm_uncertainty_ew wm_uncertainty_ns rb_smaj rb_smin rb_pa "
    "centre_ra centre_decl",
    "arcsec": "distance_arcsec",
    "Jy": "f_int f_int_err f_peak f_peak_err lightcurve_max lightcurve_avg "
    "lightcurve_median",
    "Jy/beam": "rms_qc rms_min rms_max",
    "d": "taustart_mjd",
    "s": "tau_time",
    "Hz": "freq_eff freq_bw freq_central",
}
_ROWS_AT_ONCE = 50_000
_UNIT = {name: unit for unit, names in UNITS.items() for name in names.split()}


def as_table(connection: sa.Connection, query: sa.Select[Any]) -> Table:
    """Return the answer: NaN where a number is unknown, masked where an integer is."""
    return _table(query, connection.execute(query).all())


def as_tables(connection: sa.Connection, query: sa.Select[Any]) -> Iterator[Table]:
    """Yield the answer in parts of bounded size, a first one even if it is empty."""
    result = connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(query)
    parts = result.partitions()
    yield _table(query, next(parts, ()))
    for rows in parts:
        yield _table(query, rows)


def _table(query: sa.Select[Any], rows: Sequence[sa.Row[Any]]) -> Table:
    columns = list(query.selected_columns)
    values = list(zip(*rows, strict=True)) or [()] * len(columns)
    table = Table()
    for column, cells in zip(columns, values, strict=True):
        table[column.name] = _column(column.type, cells)
        table[column.name].unit = _UNIT.get(column.name)
    return table


def _column(kind: Any, cells: tuple[Any, ...]) -> Any:
    match kind:
        case sa.DateTime():
            return np.array([c.isoformat(timespec="microseconds") for c in cells], str)
        case sa.String():
            return np.array([cell or "" for cell in cells], str)
        case sa.Boolean():
            return np.array(cells, bool)
        case sa.Integer():
            unknown = [cell is None for cell in cells]
            numbers = np.array([cell or 0 for cell in cells], np.int64)
            return MaskedColumn(numbers, mask=unknown) if any(unknown) else numbers
        case _:
            return np.array(cells, np.float64)
