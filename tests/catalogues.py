"""A small run made by hand: splits of splits, forced fits, a monitor, a rejection.

Time steps are 0 to 3, images 1 to 5 (2 is rejected), extractions 1 to 13. Source 1 is
replaced by 3 and 4, 4 then by 5 and 6; 2 is constant, 7 a new source, 8 monitored.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tests.samples import HEADER
from trap_hpc.catalogue.store import Catalogue
from trap_hpc.config.parameters import JobParameters
from trap_hpc.pipeline.records import (
    ASSOCIATION,
    ASSOCSKYRGN,
    BAND,
    EXTRACTED,
    MONITOR,
    NEWSOURCE,
    RUNCAT,
    RUNCAT_FLUX,
    SKYREGION,
    SPLIT,
    FinalTables,
    ImageRow,
    MeasuredImage,
    Refusal,
    Rejection,
    Rows,
    StepRows,
)

STEP_US = 600_000_000


@dataclass(frozen=True)
class Point:
    """An extraction and the source it belongs to."""

    image: int
    xtrsrc: int
    runcat: int
    type: int
    extract_type: int = 0
    ff_runcat: int = 0
    ff_monitor: int = 0


STEPS: tuple[tuple[Point, ...], ...] = (
    (Point(1, 1, 1, 4), Point(1, 2, 2, 4)),
    (Point(3, 3, 2, 3), Point(3, 4, 1, 7, extract_type=1, ff_runcat=1)),
    (Point(4, 5, 3, 2), Point(4, 6, 4, 2), Point(4, 7, 2, 3)),
    (
        *(Point(5, 8, 5, 2), Point(5, 9, 6, 2), Point(5, 10, 2, 3), Point(5, 11, 3, 3)),
        Point(5, 12, 7, 4),
        Point(5, 13, 8, 8, extract_type=2, ff_monitor=1),
    ),
)
IMAGES = ((1,), (2, 3), (4,), (5,))
REJECTED = 2
FIRST = {2: 2, 3: 5, 5: 8, 6: 9, 7: 12, 8: 13}
"""The base extraction of each source that is left."""
CURVES = {
    2: [(2, 4), (3, 3), (7, 3), (10, 3)],
    3: [(1, 6), (4, 6), (5, 2), (11, 3)],
    5: [(1, 6), (4, 6), (6, 6), (8, 2)],
    6: [(1, 6), (4, 6), (6, 6), (9, 2)],
    7: [(12, 4)],
    8: [(13, 8)],
}
"""Extraction and type of every point, by source."""
REFUSALS = (
    Refusal(address="broken.fits", kind="unreadable", reason="the file is cut short"),
    Refusal(address="twice.fits", kind="duplicate", reason="the same as once.fits"),
)


def flux(xtrsrc: int) -> float:
    """The integrated flux (Jy) of an extraction."""
    return 1.0 + 0.1 * (xtrsrc % 7) + 0.001 * xtrsrc


def steps(*, first: int = 0) -> Iterator[StepRows]:
    """All time steps, from number ``first`` on."""
    yield from (_step(number) for number in range(first, len(STEPS)))


def _step(number: int) -> StepRows:
    points = STEPS[number]
    return StepRows(
        taustart_us=HEADER.taustart_us + number * STEP_US,
        images=[_image(image, number) for image in IMAGES[number]],
        extracted=np.concatenate([_extracted(p.xtrsrc) for p in points]),
        extracted_id=np.array([p.xtrsrc for p in points]),
        extracted_image=np.array([p.image for p in points]),
        extract_type=np.array([p.extract_type for p in points]),
        ff_runcat=np.array([p.ff_runcat for p in points]),
        ff_monitor=np.array([p.ff_monitor for p in points]),
        associations=np.concatenate([_association(p) for p in points]),
    )


def _image(number: int, step: int) -> ImageRow:
    rejected = number == REJECTED
    rejection = Rejection(reason=1, comment="Beam too elliptical") if rejected else None
    header = replace(
        HEADER,
        address=f"cube.fits[{number}]",
        taustart_us=HEADER.taustart_us + step * STEP_US,
    )
    noise = float("nan") if rejected else 0.01 * number
    image = MeasuredImage(
        header=header,
        content=f"content-{number}",
        rms_qc=0.01,
        rms_min=noise,
        rms_max=2 * noise,
        rejection=rejection,
    )
    return ImageRow(id=number, band=1, skyrgn=1, image=image, rejection=rejection)


def _extracted(xtrsrc: int) -> Rows:
    random = np.random.default_rng(xtrsrc)
    row = np.zeros(1, EXTRACTED)
    for name in EXTRACTED.names or ():
        row[name] = random.random(1) if name != "gaussian" else True
    row["zone"], row["f_int"], row["det_sigma"] = 52, flux(xtrsrc), 10 * flux(xtrsrc)
    row["chisq"] = float("nan") if xtrsrc == 1 else 1.5
    return row


def _association(point: Point) -> Rows:
    row = np.zeros(1, ASSOCIATION)
    row["id"] = row["xtrsrc"] = point.xtrsrc
    row["runcat"], row["type"] = point.runcat, point.type
    row["v_int"], row["eta_int"] = 0.01 * point.xtrsrc, 0.1 * point.xtrsrc
    row["r"], row["distance_arcsec"] = 0.5, 1.5
    row["f_datapoints"] = 1
    return row


def final_tables() -> FinalTables:
    """What is known after the last step."""
    return FinalTables(
        skyregion=np.array([(1, 123.4, 52.9, 1.39, 0.1, 0.2, 0.3)], SKYREGION),
        frequencyband=np.array([(1, 150e6, 149.05e6, 150.95e6)], BAND),
        runningcatalog=np.concatenate([_runcat(i) for i in FIRST]),
        runningcatalog_flux=_numbered(RUNCAT_FLUX, band=1, f_datapoints=4),
        newsource=np.array([(1, 7, 12, 4, 1)], NEWSOURCE),
        assocskyrgn=_numbered(ASSOCSKYRGN, skyrgn=1, distance_deg=np.nan),
        monitor=np.array([(1, 8, 123.0, 52.0), (2, 0, 124.0, 53.0)], MONITOR),
        splits=np.array([(1, 3), (1, 4), (4, 5), (4, 6)], SPLIT),
    )


def _runcat(number: int) -> Rows:
    row = np.zeros(1, RUNCAT)
    row["id"], row["xtrsrc"], row["datapoints"] = number, FIRST[number], 4
    row["wm_ra"], row["wm_decl"] = 123 + number / 100, 52 + number / 100
    row["mon_src"] = number == 8
    return row


def _numbered(dtype: np.dtype[np.void], **values: float) -> Rows:
    """One row for each source that is left."""
    rows = np.zeros(len(FIRST), dtype)
    rows["id"], rows["runcat"] = np.arange(1, len(FIRST) + 1), list(FIRST)
    for name, value in values.items():
        rows[name] = value
    return rows


def new_catalogue(
    folder: Path, *, run_id: str = "trap-made", publish_to: str | None = None
) -> Catalogue:
    """An empty catalogue in ``folder``."""
    folder.mkdir(exist_ok=True, parents=True)
    return Catalogue.create(
        folder / "catalogue.sqlite",
        parameters=JobParameters(),
        run_id=run_id,
        publish_to=publish_to,
    )


def made_run(
    folder: Path, *, run_id: str = "trap-made", publish_to: str | None = None
) -> Path:
    """The whole run, finished; returns its directory."""
    with new_catalogue(folder, run_id=run_id, publish_to=publish_to) as catalogue:
        for step in steps():
            catalogue.add_step(step)
        catalogue.add_refusals(REFUSALS)
        catalogue.finish(final_tables())
        catalogue.publish()
    return folder


def ask(run: Path, query: str, *values: object) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(run / "catalogue.sqlite")
    try:
        return connection.execute(query, values).fetchall()
    finally:
        connection.close()


def dump(run: Path) -> list[str]:
    """Everything but the times of processing."""
    connection = sqlite3.connect(run / "catalogue.sqlite")
    lines = [
        line
        for line in connection.iterdump()
        if 'INTO "dataset"' not in line and "trap_hpc_info" not in line
    ]
    connection.close()
    return lines
