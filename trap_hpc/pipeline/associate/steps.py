"""What the association says of one time step: the records that go to the light curves.

A *source* here is an index into the running catalogue, counted from 0 in order of
birth and never used twice; its id in the catalogue is given by ``LightCurves``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trap_hpc.pipeline.records import (
    Integers,
    MeasuredImage,
    Rejection,
    Rows,
)

SPLIT_OFF, MATCHED, NEW = 2, 3, 4
"""TraP's association types of blind extractions."""
NULL_DETECTION, MONITOR_NEW, MONITOR_KNOWN = 7, 8, 9
"""TraP's association types of forced fits."""

MATCH = np.dtype(
    [(name, "<i8") for name in ("source", "base", "row", "type")]
    + [(name, "<f8") for name in ("distance_arcsec", "r")]
)
"""A blind extraction (``row`` of its image) that became a point of ``source``.
``base`` is the source whose flux averages it continues: the parent for SPLIT_OFF, else
``source`` itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepImage:
    """One image of a time step after association."""

    image: MeasuredImage
    rejection: Rejection | None
    """The image's own, or that of the history check. Then nothing else is filled."""
    band: int
    """Id in ``frequencyband``, from 1."""
    region: int
    """Id in ``skyregion``, from 1."""
    matches: Rows
    """MATCH rows: split off, matched, new. Births are those split off and new."""
    candidates: Rows
    """REQUEST rows: all null detections whatever their count of forced fits, by
    source, then the monitored positions."""
    expected: npt.NDArray[np.bool_]
    """Which candidates are owed if every forced fit so far succeeds."""

    @property
    def requests(self) -> Rows:
        """The candidates that are owed if every forced fit so far succeeds."""
        rows: Rows = self.candidates[self.expected]
        return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeStep:
    """All images of one time, associated in order; each saw the one before."""

    taustart_us: int
    images: tuple[StepImage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """All that the association knows once the last time step is in."""

    runcat: Rows
    """RUNCAT rows by source; id, xtrsrc and forcedfits_count are not filled."""
    alive: npt.NDArray[np.bool_]
    """By source: not replaced in a split."""
    skyregion: Rows
    region_step: Integers
    """By region: the time step that made it, counted from 0."""
    frequencyband: Rows
    assocskyrgn: Rows
    """runcat is a source; id is not filled."""
    newsource: Rows
    """runcat is a source, trigger_xtrsrc the source born of the trigger,
    previous_limits_image counts all images from 0; id is not filled."""
