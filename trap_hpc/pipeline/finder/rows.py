"""Rows of ``extractedsource`` from what was measured of the sources of an image."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from trap_hpc.config.parameters import SourceExtraction
from trap_hpc.pipeline.finder.field import Booleans
from trap_hpc.pipeline.finder.sky import SkyShape
from trap_hpc.pipeline.finder.uncertainties import Photometry
from trap_hpc.pipeline.records import SOURCE, Floats, Rows
from trap_hpc.pipeline.sources import derive

MUST_BE_FINITE = (
    *("ra_fit_err", "decl_fit_err", "f_peak_err", "f_int_err"),
    *("semimajor", "semiminor"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Goodness:
    """How well sources stand out and are described by their Gaussians."""

    det_sigma: Floats
    """The largest ratio of signal to noise in any pixel."""
    chisq: Floats
    reduced_chisq: Floats
    """Not by degrees of freedom, but by the number of beams in the pixels."""


def extracted_rows(
    shape: SkyShape,
    photometry: Photometry,
    goodness: Goodness,
    gaussian: Booleans,
    parameters: SourceExtraction,
) -> Rows:
    """Join all that is known of the sources into EXTRACTED rows."""
    rows = np.empty(shape.ra.size, SOURCE)
    for part in (shape, goodness):
        for column in fields(part):
            rows[column.name] = getattr(part, column.name)
    rows["f_peak"], rows["f_peak_err"] = photometry.peak, photometry.peak_err
    rows["f_int"], rows["f_int_err"] = photometry.flux, photometry.flux_err
    rows["ew_sys_err"] = parameters.ew_sys_err
    rows["ns_sys_err"] = parameters.ns_sys_err
    rows["gaussian"] = gaussian
    return derive(rows)


def is_sound(rows: Rows) -> Booleans:
    """Which rows have all their errors finite and lie on the sky."""
    sound = np.ones(rows.size, dtype=bool)
    for name in MUST_BE_FINITE:
        sound &= np.isfinite(rows[name])
    return sound
