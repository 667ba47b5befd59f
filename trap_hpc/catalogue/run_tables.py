"""A catalogue's own extractions, as association wants them: a run done again."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from trap_hpc.catalogue import own_tables, queries
from trap_hpc.catalogue.database import fetch, plain_errors
from trap_hpc.catalogue.extraction_tables import (
    Answers,
    ExtractionTables,
    TableImage,
)
from trap_hpc.catalogue.opened import Opened, opened
from trap_hpc.catalogue.rows import microseconds
from trap_hpc.catalogue.schema import CONFIG, MONITOR
from trap_hpc.catalogue.trap_tables import recorded_parameters
from trap_hpc.pipeline.records import (
    EXTRACTED,
    Header,
    MeasuredImage,
    Rejection,
    Rows,
)

_KEPT = ("id", "image", "extract_type")
_ROW = np.dtype([(name, "<i8") for name in _KEPT] + EXTRACTED.descr)
_MEASURED = ", ".join(
    "fit_type" if name == "gaussian" else name for name in EXTRACTED.names or ()
)
_EXTRACTED = f"""
SELECT {", ".join(_KEPT)}, {_MEASURED} FROM extractedsource
 WHERE image IN (SELECT id FROM image WHERE dataset = {{dataset}}) ORDER BY image, id
"""


def read_run_tables(source: str | Path) -> ExtractionTables:
    """Read a run directory, a catalogue file or ``postgresql://host/db[#dataset]``.

    Raises
    ------
    UsageError
        If there is no catalogue.
    CatalogueError
        If it can't be read.
    """
    with closing(opened(source)) as catalogue, plain_errors(catalogue.place):
        return _read(catalogue)


def _read(catalogue: Opened) -> ExtractionTables:
    connection, dataset = catalogue.connection, catalogue.dataset
    monitor, config = MONITOR.c, CONFIG.c
    positions = sa.select(monitor.ra, monitor.decl).where(monitor.dataset == dataset)
    recorded = sa.select(config.section, config.key, config.value, config.type)
    return ExtractionTables(
        images=_images(catalogue, _by_image(catalogue)),
        monitor=tuple(
            (row.ra, row.decl)
            for row in connection.execute(positions.order_by(monitor.id))
        ),
        parameters=recorded_parameters(
            [
                tuple(r)
                for r in connection.execute(recorded.where(config.dataset == dataset))
            ],
            catalogue.place,
        ),
    )


def _by_image(catalogue: Opened) -> dict[int, Rows]:
    query = _EXTRACTED.format(dataset=catalogue.dataset)
    rows = fetch(catalogue.connection, query, _ROW)
    images, starts = np.unique(rows["image"], return_index=True)
    parts = np.split(rows, starts[1:])
    return dict(zip(images.tolist(), parts, strict=False))


def _images(catalogue: Opened, extracted: dict[int, Rows]) -> tuple[TableImage, ...]:
    """Return the images in the order of time and id, which is the canonical one."""
    names = sa.inspect(catalogue.connection).get_table_names()
    known = own_tables.IMAGE_EXTRA.name in names
    query = queries.measured_images(catalogue.dataset, with_extra=known)
    none = np.empty(0, _ROW)
    return tuple(
        _image(row, extracted.get(row.id, none))
        for row in catalogue.connection.execute(query)
    )


def _image(row: Any, extracted: Rows) -> TableImage:
    blind = extracted[extracted["extract_type"] == 0]
    forced = extracted[extracted["extract_type"] != 0]
    return TableImage(
        id=row.id,
        image=_measured(row, _plain(blind)),
        blind_ids=blind["id"],
        answers=Answers(
            rows=_plain(forced), ids=forced["id"], kind=forced["extract_type"]
        ),
    )


def _plain(rows: Rows) -> Rows:
    plain = np.empty(len(rows), EXTRACTED)
    for name in EXTRACTED.names or ():
        plain[name] = rows[name]
    return plain


def _measured(row: Any, blind: Rows) -> MeasuredImage:
    rejection = None
    if row.rejectreason is not None:
        rejection = Rejection(reason=row.rejectreason, comment=row.comment)
    return MeasuredImage(
        header=_header(row),
        content=row.content,
        rms_qc=_number(row.rms_qc),
        rms_min=_number(row.rms_min),
        rms_max=_number(row.rms_max),
        rejection=rejection,
        blind=blind,
    )


def _header(row: Any) -> Header:
    return Header(
        address=row.url,
        taustart_us=microseconds(row.taustart_ts),
        tau_time_s=_number(row.tau_time),
        freq_eff_hz=row.freq_eff,
        freq_bw_hz=_number(row.freq_bw),
        rb_smaj_deg=row.rb_smaj,
        rb_smin_deg=row.rb_smin,
        rb_pa_deg=row.rb_pa,
        deltax_deg=row.deltax,
        deltay_deg=row.deltay,
        centre_ra_deg=row.centre_ra,
        centre_decl_deg=row.centre_decl,
        nx=row.nx,
        ny=row.ny,
        telescope=row.telescope,
    )


def _number(cell: float | None) -> float:
    return float("nan") if cell is None else cell
