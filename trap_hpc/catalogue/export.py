"""A catalogue's tables for other programs: VOTable, CSV or HDF5."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from astropy.io import votable
from astropy.table import Table, vstack

from trap_hpc.catalogue.database import plain_errors
from trap_hpc.catalogue.own_tables import SCHEMA_VERSION
from trap_hpc.catalogue.reader import Run
from trap_hpc.errors import UsageError
from trap_hpc.files import replacing
from trap_hpc.pipeline.steadyfile import SteadyFile

TABLES = ("sources", "candidates", "light_curves", "images", "refusals")
"""What is written, by the names of `Run`'s methods."""
DEFAULT_NAMES = {"votable": "catalogue.vot", "csv": "csv", "hdf5": "catalogue.h5"}
"""Formats, and what to call the file (of csv: the folder)."""


def export(run: Run, form: str, out: Path) -> list[Path]:
    """Write all tables of a run.

    Parameters
    ----------
    form
        ``votable`` or ``hdf5``: all in one file. ``csv``: one file a table.
    out
        The file; of ``csv`` the folder. What has these names is replaced, by files
        that are complete.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    UsageError
        If there is no such format, or the run is not finished.
    StorageError
        If the files can't be written.
    """
    if form not in DEFAULT_NAMES:
        raise UsageError(
            f"no format is called {form}; known: {', '.join(DEFAULT_NAMES)}"
        )
    with plain_errors(out, "then export again, or name another --out"):
        if form == "csv":
            return _export_csv(run, out)
        out.parent.mkdir(parents=True, exist_ok=True)
        with _complete(out) as temporary:
            if form == "hdf5":
                _write_hdf5(run, temporary)
            else:
                _write_votable(run, temporary)
    return [out]


@contextmanager
def _complete(path: Path) -> Iterator[Path]:
    """Give a temporary name; the file gets its own once it is complete."""
    with replacing(path) as (temporary, _):
        yield temporary


def _export_csv(run: Run, folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name in TABLES:
        path = folder / f"{name}.csv"
        with _complete(path) as temporary, temporary.open("w", newline="") as file:
            writer = csv.writer(file)
            for number, part in enumerate(run.parts(name)):
                if number == 0:
                    writer.writerow(part.colnames)
                writer.writerows(zip(*map(_cells, part.itercols()), strict=True))
        paths.append(path)
    return paths


def _cells(column: Any) -> list[Any]:
    """Return what csv writes: all digits, nothing where there is no number."""
    cells = column.tolist()
    return ["" if cell is None or cell != cell else cell for cell in cells]


def _write_votable(run: Run, path: Path) -> None:
    resource = votable.tree.Resource()
    for name in TABLES:
        table = vstack(list(run.parts(name)), metadata_conflicts="silent")
        one = votable.from_table(table, table_id=name)
        element = next(one.iter_tables())
        element.name = name
        resource.tables.append(element)
    file = votable.tree.VOTableFile(version="1.4")
    file.resources.append(resource)
    file.to_xml(str(path), tabledata_format="binary2")


def _write_hdf5(run: Run, path: Path) -> None:
    with SteadyFile(path, "w+") as stream:
        opened: Any = stream  # h5py takes it, its type stubs do not know
        with h5py.File(opened, "w") as file:
            file.attrs["schema_version"] = SCHEMA_VERSION
            for name in TABLES:
                group = file.create_group(name)
                for part in run.parts(name):
                    _append(group, part)
                    stream.check()
        stream.check()


def _append(group: h5py.Group, part: Table) -> None:
    """Write more rows; -1 stands where a whole number is missing."""
    for name in part.colnames:
        column = part[name]
        cells = np.asarray(
            np.ma.filled(column, -1) if column.dtype.kind == "i" else column
        )
        if name not in group:
            _make_dataset(group, name, part)
        dataset = group[name]
        start = len(dataset)
        dataset.resize((start + len(cells),))
        dataset[start:] = cells.astype(object) if cells.dtype.kind == "U" else cells


def _make_dataset(group: h5py.Group, name: str, part: Table) -> None:
    text = part[name].dtype.kind == "U"
    kind = h5py.string_dtype() if text else part[name].dtype
    dataset = group.create_dataset(name, (0,), kind, maxshape=(None,))
    if part[name].unit is not None:
        dataset.attrs["unit"] = str(part[name].unit)
