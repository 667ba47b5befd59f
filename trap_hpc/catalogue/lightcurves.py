"""All light curves: gathered from the catalogue, and as one HDF5 file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import h5py
import numpy as np
import sqlalchemy as sa

from trap_hpc.catalogue.database import fetch, fetch_parts
from trap_hpc.catalogue.own_tables import SCHEMA_VERSION
from trap_hpc.catalogue.rows import mjd
from trap_hpc.pipeline.records import Rows
from trap_hpc.pipeline.steadyfile import SteadyFile

POINTS_AT_ONCE = 200_000
"""Points of light curves in memory at a time, and as much again to sort them."""
_BAND_NAMES = ("freq_central", "freq_low", "freq_high")

POINT = np.dtype(
    [(name, "<i8") for name in ("runcat", "xtrsrc", "image", "band", "taustart_us")]
    + [(name, "<i8") for name in ("type", "extract_type")]
    + [(name, "<f8") for name in ("f_int", "f_int_err", "f_peak", "f_peak_err")]
    + [(name, "<f8") for name in ("v_int", "eta_int")]
)
"""A point of a light curve: fluxes in Jy; type is TraP's association type,
extract_type 0 blind, 1 a forced fit, 2 a monitored position."""

INDEX = np.dtype([(name, "<i8") for name in ("runcat", "offset", "count")])
_IMAGE = np.dtype([(name, "<i8") for name in ("id", "band", "taustart_us")])
_BAND = np.dtype([("id", "<i8")] + [(n, "<f8") for n in _BAND_NAMES])
_SHORT = {"band": "<i4", "type": "<i1", "extract_type": "<i1"}
_STORED = {name: _SHORT.get(name, POINT[name].str) for name in POINT.names or ()}
_STORED["taustart_mjd"] = "<f8"
del _STORED["runcat"]

_COUNTS = (
    "SELECT runcat, 0, COUNT(*) FROM assocxtrsource GROUP BY runcat ORDER BY runcat"
)
# In the order of the tables, so that a disk reads forward: CROSS JOIN keeps SQLite
# from choosing another one.
_POINTS = """
SELECT a.runcat, a.xtrsrc, e.image, 0, 0, a.type, e.extract_type,
       e.f_int, e.f_int_err, e.f_peak, e.f_peak_err, a.v_int, a.eta_int
  FROM assocxtrsource a CROSS JOIN extractedsource e ON e.id = a.xtrsrc
 ORDER BY a.id
"""
_IMAGES = """
SELECT i.id, i.band, x.taustart_us
  FROM image i JOIN trap_hpc_image_extra x ON x.image = i.id ORDER BY i.id
"""
_BANDS = "SELECT id, freq_central, freq_low, freq_high FROM frequencyband ORDER BY id"


def light_curves(connection: sa.Connection, folder: Path) -> Iterator[Rows]:
    """Yield POINT rows, whole light curves at a time, by source and time.

    There may be more points than memory holds, and the tables are ordered by time,
    not by source: they are read once, sorted roughly into files in ``folder`` (as
    large as the points themselves, gone afterwards), and then file by file.
    """
    index = light_curve_index(connection)
    part = index["offset"] // POINTS_AT_ONCE
    with _scratch(folder) as scratch:
        for points in _points(connection):
            of = part[np.searchsorted(index["runcat"], points["runcat"])]
            for i in np.unique(of):
                with (scratch / str(i)).open("ab") as file:
                    file.write(points[of == i].tobytes())
        for i in np.unique(part):
            yield _in_order(np.fromfile(scratch / str(i), POINT))


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """Make a folder that is gone afterwards; so is one that a killed run left."""
    scratch = folder / ".light-curves"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def light_curve_index(connection: sa.Connection) -> Rows:
    """Return where each source's points lie when all are in order."""
    counts = fetch(connection, _COUNTS, INDEX)
    counts["offset"] = np.cumsum(counts["count"]) - counts["count"]
    return counts


def _in_order(points: Rows) -> Rows:
    keys = ("xtrsrc", "image", "taustart_us", "runcat")
    ordered: Rows = points[np.lexsort([points[key] for key in keys])]
    return ordered


def _points(connection: sa.Connection) -> Iterator[Rows]:
    """Yield POINT rows as they lie in the tables."""
    images = fetch(connection, _IMAGES, _IMAGE)
    for points in fetch_parts(connection, _POINTS, POINT):
        image = images[np.searchsorted(images["id"], points["image"])]
        for name in ("band", "taustart_us"):
            points[name] = image[name]
        yield points


class LightCurveFile:
    """``lightcurves.h5`` while it is written: complete under its name, or not at all.

    ``sources/runcat``, ``offset`` and ``count`` say which of the ``points/*`` (one
    flat array a quantity) are whose; ``bands`` gives the frequencies in Hz.
    """

    def __init__(self, path: Path, connection: sa.Connection) -> None:
        self._path = path
        self._temporary = path.with_name(f".{path.name}.part")
        self._done = 0
        index = light_curve_index(connection)
        self._stream = SteadyFile(self._temporary, "w+")
        stream: Any = self._stream  # h5py takes it, its type stubs do not know
        self._file = h5py.File(stream, "w")
        self._file.attrs["schema_version"] = SCHEMA_VERSION
        _write_columns(self._file.create_group("sources"), index)
        bands = self._file.create_group("bands")
        _write_columns(bands, fetch(connection, _BANDS, _BAND))
        self._points = self._file.create_group("points")
        for name, kind in _STORED.items():
            self._points.create_dataset(name, (int(index["count"].sum()),), kind)

    def append(self, points: Rows) -> None:
        """Write the next POINT rows."""
        end = self._done + len(points)
        for name in _STORED:
            if name == "taustart_mjd":
                values = mjd(points["taustart_us"])
            else:
                values = points[name]
            self._points[name][self._done : end] = values
        self._stream.check()
        self._done = end

    def __enter__(self) -> LightCurveFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._file.close()
            self._stream.close()
            self._stream.check()
            if kind is None:
                os.replace(self._temporary, self._path)
        finally:
            self._temporary.unlink(missing_ok=True)


def _write_columns(group: h5py.Group, rows: Rows) -> None:
    for name in rows.dtype.names or ():
        group[name] = rows[name]


def write_light_curves(connection: sa.Connection, path: Path) -> None:
    """Write ``lightcurves.h5`` from a finished catalogue."""
    with LightCurveFile(path, connection) as file:
        for points in light_curves(connection, path.parent):
            file.append(points)
