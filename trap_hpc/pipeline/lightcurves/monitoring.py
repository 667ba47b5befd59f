"""Monitored positions: sources of their own, which no blind extraction ever joins."""

from __future__ import annotations

import numpy as np

from trap_hpc.pipeline.associate.averages import begun, points_of
from trap_hpc.pipeline.associate.geometry import separation
from trap_hpc.pipeline.associate.steps import Sources
from trap_hpc.pipeline.lightcurves.fluxes import FluxAverages, Variability, products_of
from trap_hpc.pipeline.records import (
    ASSOCSKYRGN,
    EXTRACTED,
    MONITOR,
    RUNCAT,
    Integers,
    Rows,
)


class Monitoring:
    """The monitored positions' light curves; ``positions`` are (ra, decl) in degrees.

    A position's first successful fit makes it a source of the running catalogue, whose
    place stays that of the first fit.
    """

    def __init__(self, positions: tuple[tuple[float, float], ...]) -> None:
        n = len(positions)
        self._positions = positions
        self._fluxes = FluxAverages()
        self.ids = np.zeros(n, np.int64)
        """Running-catalogue id of each position, 0 before its first fit."""
        self._xtrsrc = np.zeros(n, np.int64)
        self._datapoints = np.zeros(n, np.int64)
        self._first = np.zeros(n, EXTRACTED)
        self._first_step = np.zeros(n, np.int64)

    def begin(
        self, monitors: Integers, ids: Integers, xtrsrc: Integers, rows: Rows, step: int
    ) -> None:
        """Make sources of positions whose first fits are the EXTRACTED ``rows``."""
        self.ids[monitors], self._xtrsrc[monitors] = ids, xtrsrc
        self._first[monitors], self._first_step[monitors] = rows, step

    def update(self, band: int, monitors: Integers, rows: Rows) -> Variability:
        """Add a point to each of the positions."""
        self._datapoints[monitors] += 1
        return self._fluxes.update(band, monitors, monitors, products_of(rows))

    def flux_rows(self) -> Rows:
        """Return RUNCAT_FLUX rows; id stays 0."""
        return self._fluxes.rows(self.ids)

    def runcat_rows(self) -> Rows:
        """Return the RUNCAT rows of positions that were ever fitted."""
        fitted = np.flatnonzero(self.ids)
        rows = np.zeros(len(fitted), RUNCAT)
        for name, column in begun(points_of(self._first[fitted]))._asdict().items():
            rows[name] = column
        rows["zone"] = self._first["zone"][fitted]
        rows["id"], rows["xtrsrc"] = self.ids[fitted], self._xtrsrc[fitted]
        rows["datapoints"] = self._datapoints[fitted]
        rows["mon_src"] = True
        return rows

    def monitor_rows(self) -> Rows:
        """Return MONITOR rows."""
        rows = np.zeros(len(self.ids), MONITOR)
        rows["id"] = np.arange(1, len(rows) + 1)
        rows["runcat"] = self.ids
        for index, position in enumerate(self._positions):
            rows["ra"][index], rows["decl"][index] = position
        return rows

    def links(self, sources: Sources) -> Rows:
        """Return ASSOCSKYRGN rows: a region takes in what is there when it is made.

        TraP then asks for null detections of such a position too, and never uses
        them; here they are not asked for.
        """
        parts = [np.zeros(0, ASSOCSKYRGN)]
        for monitor in np.flatnonzero(self.ids):
            first, region = self._first[monitor], sources.skyregion
            place = tuple(first[name] for name in "xyz")
            distance = separation(
                (region["x"], region["y"], region["z"]), (place[0], place[1], place[2])
            )
            later = sources.region_step > self._first_step[monitor]
            inside = np.flatnonzero(later & (distance < region["xtr_radius"]))
            part = np.zeros(len(inside), ASSOCSKYRGN)
            part["runcat"], part["skyrgn"] = self.ids[monitor], region["id"][inside]
            part["distance_deg"] = distance[inside]
            parts.append(part)
        return np.concatenate(parts)
