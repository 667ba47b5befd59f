"""TraP's own tables, as a folder of CSV files with the columns' names on top."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from trap_hpc.catalogue.csv_tables import CsvTable, read_csv
from trap_hpc.catalogue.extraction_tables import (
    Answers,
    ExtractionTables,
    TableImage,
)
from trap_hpc.config.entries import native
from trap_hpc.config.parameters import JobParameters
from trap_hpc.config.sourced import DEFAULTS, resolve
from trap_hpc.config.tomlfile import Entry
from trap_hpc.errors import UsageError
from trap_hpc.pipeline.records import (
    EXTRACTED,
    Floats,
    Header,
    Integers,
    MeasuredImage,
    Rejection,
    Rows,
)

_FLOATS = tuple(name for name in EXTRACTED.names or () if name != "gaussian")
_MAY_BE_EMPTY = (
    *("semimajor", "semiminor", "pa", "chisq", "reduced_chisq"),
    *("tau_time", "rb_smin", "rb_pa", "deltay"),
)
_HEADER_COLUMNS = {
    "tau_time_s": "tau_time",
    "freq_eff_hz": "freq_eff",
    "freq_bw_hz": "freq_bw",
    "rb_smaj_deg": "rb_smaj",
    "rb_smin_deg": "rb_smin",
    "rb_pa_deg": "rb_pa",
    "deltax_deg": "deltax",
    "deltay_deg": "deltay",
}


def read_trap_tables(folder: Path) -> ExtractionTables:
    """Read a folder of TraP's tables, revision 40.

    ``image.csv``, ``extractedsource.csv`` and ``skyregion.csv`` are needed. Without
    ``monitor.csv`` nothing was monitored, without ``config.csv`` the parameters are
    not known, without ``rejection.csv`` it is not known which images were refused.

    Raises
    ------
    UsageError
        A table or a column is missing or not readable, or there are several data sets.
    """
    image, extracted = _read(folder, "image"), _read(folder, "extractedsource")
    _check_one_dataset(image)
    rejection = read_csv(folder / "rejection.csv")
    config = read_csv(folder / "config.csv")
    measured = _images(image, _read(folder, "skyregion"), _rejections(rejection))
    return ExtractionTables(
        images=_with_sources(measured, extracted),
        monitor=_positions(read_csv(folder / "monitor.csv")),
        parameters=_parameters(config) if config else None,
        knows_rejections=rejection is not None,
    )


def _read(folder: Path, name: str) -> CsvTable:
    path = folder / f"{name}.csv"
    table = read_csv(path)
    if table is None:
        raise UsageError(
            f"{path} is missing. A folder of TraP's tables needs image.csv, "
            "extractedsource.csv and skyregion.csv"
        )
    return table


def _check_one_dataset(image: CsvTable) -> None:
    found = sorted(set(image.columns.get("dataset", ())))
    if len(found) > 1:
        raise UsageError(
            f"{image.path} holds data sets {', '.join(found)}; export one of them"
        )


def _rejections(table: CsvTable | None) -> dict[int, Rejection]:
    """Return the first rejection of each refused image, by its id."""
    if table is None:
        return {}
    columns = table.integers("image"), table.integers("rejectreason")
    rows = zip(
        *(column.tolist() for column in columns), table.text("comment"), strict=True
    )
    refused: dict[int, Rejection] = {}
    for image, reason, comment in rows:
        refused.setdefault(image, Rejection(reason=reason, comment=comment))
    return refused


def _images(
    table: CsvTable, regions: CsvTable, rejections: dict[int, Rejection]
) -> list[TableImage]:
    """Return the images without their sources, in the order of time and id."""
    ids, times = table.integers("id"), table.times_us("taustart_ts")
    headers = _headers(table, times, _centres(table, regions))
    noise = zip(
        table.floats("rms_qc").tolist(),
        table.floats("rms_min").tolist(),
        table.floats("rms_max").tolist(),
        strict=True,
    )
    images = [
        _without_sources(image_id, header, rms, rejections.get(image_id))
        for image_id, header, rms in zip(ids.tolist(), headers, noise, strict=True)
    ]
    return [images[place] for place in np.lexsort((ids, times))]


def _without_sources(
    image_id: int,
    header: Header,
    noise: tuple[float, float, float],
    rejection: Rejection | None,
) -> TableImage:
    rms_qc, rms_min, rms_max = noise
    image = MeasuredImage(
        header=header,
        content="",
        rms_qc=rms_qc,
        rms_min=rms_min,
        rms_max=rms_max,
        rejection=rejection,
    )
    none = np.empty(0, np.int64)
    answers = Answers(rows=image.blind, ids=none, kind=none)
    return TableImage(id=image_id, image=image, blind_ids=none, answers=answers)


def _headers(table: CsvTable, times: Integers, centres: Floats) -> list[Header]:
    numbers = {
        field: table.floats(name, needed=name not in _MAY_BE_EMPTY).tolist()
        for field, name in _HEADER_COLUMNS.items()
    }
    return [
        Header(
            address=address,
            taustart_us=int(times[n]),
            centre_ra_deg=float(centres[n, 0]),
            centre_decl_deg=float(centres[n, 1]),
            nx=0,
            ny=0,
            **{field: column[n] for field, column in numbers.items()},
        )
        for n, address in enumerate(table.text("url"))
    ]


def _centres(table: CsvTable, regions: CsvTable) -> Floats:
    """Return the centre of each image's region, (ra, decl) in degrees."""
    names = "centre_ra", "centre_decl"
    known = np.column_stack([regions.floats(name, needed=True) for name in names])
    place = {region: n for n, region in enumerate(regions.integers("id").tolist())}
    try:
        return known[[place[region] for region in table.integers("skyrgn").tolist()]]
    except KeyError as error:
        raise UsageError(
            f"{table.path} names sky region {error}, which {regions.path} doesn't have"
        ) from None


def _with_sources(
    images: Sequence[TableImage], table: CsvTable
) -> tuple[TableImage, ...]:
    """Give each image its extractions, in the order of their ids."""
    rows, ids = _extracted(table), table.integers("id")
    kind, owner = table.integers("extract_type"), table.integers("image")
    order = np.lexsort((ids, owner))
    starts = np.searchsorted(owner[order], [image.id for image in images], "left")
    stops = np.searchsorted(owner[order], [image.id for image in images], "right")
    filled = []
    for image, start, stop in zip(images, starts, stops, strict=True):
        own = order[start:stop]
        blind, forced = own[kind[own] == 0], own[kind[own] > 0]
        answers = Answers(rows=rows[forced], ids=ids[forced], kind=kind[forced])
        measured = replace(image.image, blind=rows[blind])
        filled.append(
            replace(image, image=measured, blind_ids=ids[blind], answers=answers)
        )
    return tuple(filled)


def _extracted(table: CsvTable) -> Rows:
    rows = np.zeros(len(table.text("id")), EXTRACTED)
    for name in _FLOATS:
        rows[name] = table.floats(name, needed=name not in _MAY_BE_EMPTY)
    rows["gaussian"] = table.integers("fit_type") > 0
    return rows


def _positions(table: CsvTable | None) -> tuple[tuple[float, float], ...]:
    """Return the monitored positions in the order of their ids."""
    if table is None:
        return ()
    positions = np.column_stack([table.floats("ra"), table.floats("decl")])
    order = np.argsort(table.integers("id"), kind="stable")
    return tuple((ra, decl) for ra, decl in positions[order].tolist())


def _parameters(table: CsvTable) -> JobParameters:
    columns = (table.text(name) for name in ("section", "key", "value", "type"))
    return recorded_parameters(zip(*columns, strict=True), str(table.path))


def recorded_parameters(
    rows: Iterable[tuple[str, str, str, str]], origin: str
) -> JobParameters:
    """Return the parameters of ``config`` rows: section, key, value, type.

    What is not ours is left out.
    """
    entries = [
        Entry(section=section, name=key, value=_value(text, kind), origin=origin)
        for section, key, text, kind in rows
        if key in DEFAULTS.get(section, {}) and section != "pipeline"
    ]
    return resolve(entries).parameters


def _value(text: str, kind: str) -> object:
    return text if kind == "str" else native(text)
