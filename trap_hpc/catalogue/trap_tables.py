"""TraP's own tables, as a folder of CSV files with the columns' names on top."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from trap_hpc.catalogue.extraction_tables import (
    Answers,
    ExtractionTables,
    TableImage,
)
from trap_hpc.config.entries import Entry, native
from trap_hpc.config.parameters import JobParameters
from trap_hpc.config.sourced import DEFAULTS, resolve
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


@dataclass(frozen=True, slots=True)
class _Table:
    """A CSV file by columns, as text."""

    path: Path
    columns: dict[str, Sequence[str]]

    def text(self, name: str) -> Sequence[str]:
        if name not in self.columns:
            found = ", ".join(self.columns) or "none"
            raise UsageError(
                f"{self.path} has no column {name}; it has {found}. Export the whole "
                "table from TraP's database, with the columns' names in the first line"
            )
        return self.columns[name]

    def floats(self, name: str) -> Floats:
        """Return a column of numbers; what is empty is not a number."""
        try:
            return np.array([float(v) if v else np.nan for v in self.text(name)])
        except ValueError as error:
            raise self._bad(name, error) from None

    def integers(self, name: str) -> Integers:
        """Return a column of whole numbers; what is empty is 0."""
        try:
            return np.array([int(v) if v else 0 for v in self.text(name)], np.int64)
        except ValueError as error:
            raise self._bad(name, error) from None

    def times_us(self, name: str) -> Integers:
        """Return a column of times as microseconds since 1970."""
        try:
            times = np.array(self.text(name), "datetime64[us]")
        except ValueError as error:
            raise self._bad(name, error) from None
        return times.astype(np.int64)

    def _bad(self, name: str, error: ValueError) -> UsageError:
        return UsageError(f"{self.path}, column {name}: {error}")


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
    rejection = _read_if_there(folder, "rejection")
    config = _read_if_there(folder, "config")
    measured = _images(image, _read(folder, "skyregion"), _rejections(rejection))
    return ExtractionTables(
        images=_with_sources(measured, extracted),
        monitor=_positions(_read_if_there(folder, "monitor")),
        parameters=_parameters(config) if config else None,
        knows_rejections=rejection is not None,
    )


def _read(folder: Path, name: str) -> _Table:
    path = folder / f"{name}.csv"
    table = _read_if_there(folder, name)
    if table is None:
        raise UsageError(
            f"{path} is missing. A folder of TraP's tables needs image.csv, "
            "extractedsource.csv and skyregion.csv"
        )
    return table


def _read_if_there(folder: Path, name: str) -> _Table | None:
    path = folder / f"{name}.csv"
    if not path.is_file():
        return None
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            names, *rows = csv.reader(file, strict=True)
    except (OSError, UnicodeDecodeError, csv.Error, ValueError) as error:
        raise UsageError(f"can't read {path} as CSV: {error}") from None
    rows = [row for row in rows if row]
    for number, row in enumerate(rows, start=2):
        if len(row) != len(names):
            raise UsageError(
                f"{path}: row {number} has {len(row)} values for {len(names)} columns"
            )
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    return _Table(path, dict(zip(names, columns, strict=True)))


def _check_one_dataset(image: _Table) -> None:
    found = sorted(set(image.columns.get("dataset", ())))
    if len(found) > 1:
        raise UsageError(
            f"{image.path} holds data sets {', '.join(found)}; export one of them"
        )


def _rejections(table: _Table | None) -> dict[int, Rejection]:
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
    table: _Table, regions: _Table, rejections: dict[int, Rejection]
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


def _headers(table: _Table, times: Integers, centres: Floats) -> list[Header]:
    numbers = {
        field: table.floats(name).tolist() for field, name in _HEADER_COLUMNS.items()
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


def _centres(table: _Table, regions: _Table) -> Floats:
    """Return the centre of each image's region, (ra, decl) in degrees."""
    known = np.column_stack(
        [regions.floats("centre_ra"), regions.floats("centre_decl")]
    )
    place = {region: n for n, region in enumerate(regions.integers("id").tolist())}
    try:
        return known[[place[region] for region in table.integers("skyrgn").tolist()]]
    except KeyError as error:
        raise UsageError(
            f"{table.path} names sky region {error}, which {regions.path} doesn't have"
        ) from None


def _with_sources(
    images: Sequence[TableImage], table: _Table
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


def _extracted(table: _Table) -> Rows:
    rows = np.zeros(len(table.text("id")), EXTRACTED)
    for name in _FLOATS:
        rows[name] = table.floats(name)
    rows["gaussian"] = table.integers("fit_type") > 0
    return rows


def _positions(table: _Table | None) -> tuple[tuple[float, float], ...]:
    """Return the monitored positions in the order of their ids."""
    if table is None:
        return ()
    positions = np.column_stack([table.floats("ra"), table.floats("decl")])
    order = np.argsort(table.integers("id"), kind="stable")
    return tuple((ra, decl) for ra, decl in positions[order].tolist())


def _parameters(table: _Table) -> JobParameters:
    """Return the parameters that TraP recorded; what is not ours is left out."""
    columns = (table.text(name) for name in ("section", "key", "value", "type"))
    entries = [
        Entry(
            section=section, name=key, value=_value(text, kind), origin=str(table.path)
        )
        for section, key, text, kind in zip(*columns, strict=True)
        if key in DEFAULTS.get(section, {}) and section != "pipeline"
    ]
    return resolve(entries).parameters


def _value(text: str, kind: str) -> object:
    return text if kind == "str" else native(text)
