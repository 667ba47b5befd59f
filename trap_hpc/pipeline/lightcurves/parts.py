"""What an image adds to the catalogue in one go; how a time step is put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from trap_hpc.pipeline.associate.geometry import Mask
from trap_hpc.pipeline.associate.growing import end_to_end
from trap_hpc.pipeline.lightcurves.fluxes import Variability
from trap_hpc.pipeline.records import (
    ASSOCIATION,
    EXTRACTED,
    ImageRow,
    Integers,
    Rows,
    StepRows,
)

BLIND, FORCED, MONITORED = 0, 1, 2
"""TraP's extract types."""


class Fits(NamedTuple):
    """Successful forced fits of one image."""

    target: Integers
    """As in REQUEST."""
    rows: Rows
    """EXTRACTED."""
    ids: Integers | None
    """By row, where tables bring them."""

    def where(self, mask: Mask) -> Fits:
        """Return some of them."""
        ids = None if self.ids is None else self.ids[mask]
        return Fits(self.target[mask], self.rows[mask], ids)


def successful(requests: Rows, rows: Rows, ids: Integers | None) -> Fits:
    """Return the fits that gave fluxes and finite, positive errors."""
    good = np.isfinite(rows["f_peak"]) & np.isfinite(rows["f_int"])
    for error in (rows["f_peak_err"], rows["f_int_err"]):
        good &= np.isfinite(error) & (error > 0)
    return Fits(requests["target"], rows, ids).where(good)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Extractions of one kind from one image, and the points that they became."""

    image: int
    kind: int
    rows: Rows
    """EXTRACTED."""
    ids: Integers
    owners: Integers
    """By row: the running-catalogue id of a null detection, the monitor id of a
    monitored position; 0 of a blind extraction."""
    points: Rows
    """ASSOCIATION."""

    def spread(self, value: int) -> Integers:
        """Return a value by row."""
        return np.full(len(self.rows), value)

    def owners_if(self, kind: int) -> Integers:
        """Return the owners by row, 0 if these are not of that kind."""
        return self.owners if self.kind == kind else self.spread(0)


def points(
    ids: Integers, runcat: Integers, xtrsrc: Integers, found: Variability
) -> Rows:
    """Return ASSOCIATION rows whose type, distance and de Ruiter radius are 0."""
    rows = np.zeros(len(ids), ASSOCIATION)
    rows["id"], rows["runcat"], rows["xtrsrc"] = ids, runcat, xtrsrc
    rows["f_datapoints"] = found.f_datapoints
    rows["v_int"], rows["eta_int"] = found.v_int, found.eta_int
    return rows


def joined(
    taustart_us: int, images: Sequence[ImageRow], parts: Sequence[Part]
) -> StepRows:
    """Put the parts of a time step together, in their order."""
    return StepRows(
        taustart_us=taustart_us,
        images=images,
        extracted=end_to_end([part.rows for part in parts], EXTRACTED),
        extracted_id=_end_to_end([part.ids for part in parts]),
        extracted_image=_end_to_end([part.spread(part.image) for part in parts]),
        extract_type=_end_to_end([part.spread(part.kind) for part in parts]),
        ff_runcat=_end_to_end([part.owners_if(FORCED) for part in parts]),
        ff_monitor=_end_to_end([part.owners_if(MONITORED) for part in parts]),
        associations=end_to_end([part.points for part in parts], ASSOCIATION),
    )


def _end_to_end(arrays: Sequence[Integers]) -> Integers:
    joined: Integers = np.concatenate([np.empty(0, np.int64), *arrays])
    return joined
