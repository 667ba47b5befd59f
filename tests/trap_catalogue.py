"""A catalogue in memory, and how it differs from the tables that TraP made."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from trap_hpc.pipeline.lightcurves import varmetrics
from trap_hpc.pipeline.records import (
    ASSOCIATION,
    FinalTables,
    Rows,
    StepRows,
    concatenated,
)

Key = tuple[int, ...]
Table = dict[Key, dict[str, float]]

TOLERANCES = {
    "v_int": (1e-9, 0.0),
    "eta_int": (1e-6, 1e-6),
    "r": (1e-5, 0.0),
    "distance_arcsec": (1e-5, 1e-7),
    "wm_ra": (5e-8, 0.0),
    "wm_decl": (5e-8, 0.0),
    "distance_deg": (1e-6, 0.0),
}
"""Absolute and relative; other columns agree to 1e-7 of their value."""


@dataclass
class Memory:
    """A sink that keeps everything; light curves are complete after ``finish``."""

    steps: list[StepRows] = field(default_factory=list)
    final: FinalTables | None = None
    curves: dict[int, Rows] = field(default_factory=dict)
    """ASSOCIATION rows by running-catalogue id, those of replaced sources left out."""

    def add_step(self, rows: StepRows) -> None:
        self.steps.append(rows)

    def finish(self, tables: FinalTables) -> None:
        self.final = tables
        parts = [step.associations for step in self.steps]
        points = concatenated(parts, ASSOCIATION)
        order = np.argsort(points["runcat"], kind="stable")
        ids, starts = np.unique(points["runcat"][order], return_index=True)
        pieces = np.split(points[order], starts)[1:]
        curves = dict(zip(ids.tolist(), pieces, strict=True))
        for parent, child in tables.splits.tolist():
            copied = curves[parent].copy()
            copied["type"], copied["runcat"] = 6, child
            curves[child] = np.concatenate([copied, curves[child]])
        alive = set(tables.runningcatalog["id"].tolist())
        self.curves = {id_: rows for id_, rows in curves.items() if id_ in alive}

    def first_extractions(self) -> dict[int, int]:
        assert self.final is not None
        rows = self.final.runningcatalog
        return dict(zip(rows["id"].tolist(), rows["xtrsrc"].tolist(), strict=True))


def tables_of(memory: Memory) -> dict[str, Table]:
    """TraP's tables with sources named by their first extractions."""
    final, first = memory.final, memory.first_extractions()
    assert final is not None
    runcat = final.runningcatalog
    return {
        "assocxtrsource": {
            (first[id_], int(row["xtrsrc"])): _numbers(row)
            for id_, rows in memory.curves.items()
            for row in rows
        },
        "runningcatalog": {(first[r["id"]],): _numbers(r) for r in runcat},
        "runningcatalog_flux": {
            (first[r["runcat"]], int(r["band"])): _numbers(r)
            for r in final.runningcatalog_flux
        },
        "newsource": {
            (first[r["runcat"]], int(r["trigger_xtrsrc"])): _numbers(r)
            for r in final.newsource
        },
        "assocskyrgn": {
            (first[r["runcat"]], int(r["skyrgn"])): _numbers(r)
            for r in final.assocskyrgn
        },
        "varmetric": _varmetric(memory, first),
    }


def _numbers(row: np.void) -> dict[str, float]:
    return {name: float(row[name]) for name in row.dtype.names or ()}


def _varmetric(memory: Memory, first: Mapping[int, int]) -> Table:
    image = {i.id: i for step in memory.steps for i in step.images}
    place = {
        int(xtrsrc): (image[int(step.extracted_image[n])], step.extracted["f_int"][n])
        for step in memory.steps
        for n, xtrsrc in enumerate(step.extracted_id)
    }
    points = np.concatenate(list(memory.curves.values()))
    images, fluxes = zip(*(place[x] for x in points["xtrsrc"].tolist()), strict=True)
    rows = varmetrics(
        points["runcat"],
        np.array([i.image.header.taustart_us for i in images]),
        np.array([i.band for i in images]),
        np.array(fluxes),
        points["v_int"],
        points["eta_int"],
    )
    return {(first[int(row["runcat"])],): _numbers(row) for row in rows}


def trap_tables(folder: Path) -> dict[str, Table]:
    """The same of TraP's CSV files."""
    runcat = list(_rows(folder / "runningcatalog.csv"))
    first = {row["id"]: int(row["xtrsrc"]) for row in runcat}
    keys = {
        "assocxtrsource": "xtrsrc",
        "runningcatalog_flux": "band",
        "newsource": "trigger_xtrsrc",
        "assocskyrgn": "skyrgn",
    }
    tables: dict[str, Table] = {
        name: {
            (first[row["runcat"]], int(row[key])): _parsed(row)
            for row in _rows(folder / f"{name}.csv")
        }
        for name, key in keys.items()
    }
    tables["runningcatalog"] = {(first[row["id"]],): _parsed(row) for row in runcat}
    tables["varmetric"] = {
        (first[row["runcat"]],): _parsed(row) for row in _rows(folder / "varmetric.csv")
    }
    return tables


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="") as file:
        yield from csv.DictReader(file)


def _parsed(row: Mapping[str, str]) -> dict[str, float]:
    special = {"": float("nan"), "True": 1.0, "False": 0.0}
    return {
        name: special[text] if text in special else float(text)
        for name, text in row.items()
    }


def differences(ours: Mapping[str, Table], theirs: Mapping[str, Table]) -> list[str]:
    """What differs, in words; ids that only one side can know are not compared."""
    found = []
    for name, table in theirs.items():
        missing, extra = (
            table.keys() - ours[name].keys(),
            ours[name].keys() - table.keys(),
        )
        found += [f"{name} {key} is missing" for key in sorted(missing)]
        found += [f"{name} {key} is too many" for key in sorted(extra)]
        for key in sorted(table.keys() & ours[name].keys()):
            found += _row_differences(f"{name} {key}", ours[name][key], table[key])
    return found


def _row_differences(
    what: str, ours: Mapping[str, float], theirs: Mapping[str, float]
) -> Iterator[str]:
    for name in (ours.keys() & theirs.keys()) - {"id", "runcat"}:
        absolute, relative = TOLERANCES.get(name, (1e-12, 1e-7))
        a, b = ours[name], theirs[name]
        agree = abs(a - b) <= max(absolute, relative * abs(b))
        if not (agree or (np.isnan(a) and np.isnan(b))):
            yield f"{what}: {name} is {a!r}, not {b!r}"
