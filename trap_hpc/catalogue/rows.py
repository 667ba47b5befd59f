"""Rows as the database wants them: tuples in the order of its columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import sqlalchemy as sa

from trap_hpc.catalogue import own_tables, schema
from trap_hpc.config.parameters import JobParameters
from trap_hpc.pipeline.records import EXTRACTED, ImageRow, Rows, StepRows

Tuples = list[tuple[Any, ...]]

DATASET_ID = 1
"""Of the one data set in a run's own file."""

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 -- TraP's times are UTC without saying so
_MJD_OF_EPOCH = 40587
_PLANE = re.compile(r"(?:\[(\d+)\]|#(\d+))$")

EXTRACTED_COLUMNS = tuple(
    column.name
    for column in schema.EXTRACTEDSOURCE.columns
    if column.name not in ("margin", "node", "nodes")
)
_EXTRACTED_ROW = np.dtype(
    [
        (name, EXTRACTED[name] if name in (EXTRACTED.names or ()) else np.float64)
        for name in EXTRACTED_COLUMNS
    ]
)
ASSOCIATION_COLUMNS = (
    *("id", "runcat", "xtrsrc", "type", "distance_arcsec", "r"),
    *("v_int", "eta_int", "f_datapoints"),
)


def insert(table: sa.Table, columns: Sequence[str]) -> str:
    """Return the INSERT that takes tuples of these columns (SQLite's dialect)."""
    marks = ",".join("?" * len(columns))
    return f"INSERT INTO {table.name} ({','.join(columns)}) VALUES ({marks})"


def timestamp(taustart_us: int) -> str:
    """Return TraP's timestamp of a time; as text it sorts like the time itself."""
    moment = _EPOCH + timedelta(microseconds=int(taustart_us))
    return moment.isoformat(sep=" ", timespec="microseconds")


def microseconds(moment: datetime) -> int:
    """Return the time that `timestamp` was made of."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def mjd(taustart_us: Any) -> Any:
    """Return the modified Julian date (UTC) of a time or an array of times."""
    return _MJD_OF_EPOCH + taustart_us / 86_400_000_000


def utc_now() -> datetime:
    """Return the time in UTC, without saying so, as TraP's tables have it."""
    return datetime.now(UTC).replace(tzinfo=None)


IMAGE_COLUMNS = (
    *("id", "dataset", "band", "skyrgn", "tau_time", "freq_eff", "freq_bw"),
    *("taustart_ts", "rb_smaj", "rb_smin", "rb_pa", "deltax", "deltay"),
    *("rms_qc", "rms_min", "rms_max", "detection_thresh", "analysis_thresh", "url"),
)


def image_tuple(row: ImageRow, thresholds: tuple[float, float]) -> tuple[Any, ...]:
    """Return a row of ``image``; a rejected one has no thresholds."""
    header, image = row.image.header, row.image
    rms: tuple[float | None, ...] = (None, None, None, None)
    if row.rejection is None:
        rms = (image.rms_min, image.rms_max, *thresholds)
    return (
        *(row.id, DATASET_ID, row.band, row.skyrgn),
        *(header.tau_time_s, header.freq_eff_hz, header.freq_bw_hz),
        timestamp(header.taustart_us),
        *(header.rb_smaj_deg, header.rb_smin_deg, header.rb_pa_deg),
        *(header.deltax_deg, header.deltay_deg, image.rms_qc, *rms, header.address),
    )


IMAGE_EXTRA_COLUMNS = tuple(c.name for c in own_tables.IMAGE_EXTRA.columns)


def image_extra_tuple(row: ImageRow) -> tuple[Any, ...]:
    """Return what TraP's ``image`` has no column for."""
    header = row.image.header
    return (
        *(row.id, row.id, row.image.content, header.taustart_us),
        *(mjd(header.taustart_us), plane(header.address), header.nx, header.ny),
        *(header.centre_ra_deg, header.centre_decl_deg, header.telescope),
    )


def plane(address: str) -> int:
    """Return the number in ``file.fits[3]`` or ``night.h5#17``; 0 where none is."""
    found = _PLANE.search(address)
    return int(found[1] or found[2]) if found else 0


REJECTION_COLUMNS = ("image", "rejectreason", "comment")


def rejection_tuples(images: Iterable[ImageRow]) -> Tuples:
    """Return rows of ``rejection``."""
    return [
        (row.id, row.rejection.reason, row.rejection.comment)
        for row in images
        if row.rejection is not None
    ]


def extracted_tuples(step: StepRows) -> Tuples:
    """Return rows of ``extractedsource``.

    Everything but ids is a float on its way: SQLite makes NaN a NULL, and 52.0 in an
    integer column 52.
    """
    rows = np.empty(len(step.extracted), _EXTRACTED_ROW)
    for name in EXTRACTED.names or ():
        if name in EXTRACTED_COLUMNS:
            rows[name] = step.extracted[name]
    rows["id"] = step.extracted_id
    rows["image"] = step.extracted_image
    rows["ff_runcat"] = zero_is_null(step.ff_runcat)
    rows["ff_monitor"] = zero_is_null(step.ff_monitor)
    rows["extract_type"] = step.extract_type
    rows["fit_type"] = step.extracted["gaussian"]
    return _tuples(rows)


def zero_is_null(ids: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return ids as floats with NaN (later NULL) for 0."""
    return np.where(ids == 0, np.nan, ids)


def association_tuples(step: StepRows) -> Tuples:
    """Return rows of ``assocxtrsource``, in the order of ASSOCIATION_COLUMNS."""
    return _tuples(step.associations[list(ASSOCIATION_COLUMNS)])


def _tuples(structured: Rows) -> Tuples:
    tuples: Any = structured.tolist()
    return list(tuples)


def chosen(rows: Rows, columns: Sequence[str], **constants: Any) -> Tuples:
    """Return ``columns`` of structured rows; constants stand for a whole column."""
    parts = [
        [constants[name]] * len(rows) if name in constants else rows[name].tolist()
        for name in columns
    ]
    return list(zip(*parts, strict=True))


def config_tuples(parameters: JobParameters) -> Tuples:
    """Return rows of ``config``: dataset, section, key, value, type."""
    return [
        (DATASET_ID, section.name, entry.name, str(value), type(value).__name__)
        for section in fields(parameters)
        for group in [getattr(parameters, section.name)]
        for entry in fields(group)
        for value in [getattr(group, entry.name)]
    ]
