"""Candidate pairs of running-catalogue sources and blind extractions of one image."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from trap_hpc.pipeline.associate.averages import Averages
from trap_hpc.pipeline.associate.geometry import (
    DEGREE,
    STEPS,
    Mask,
    Vectors,
    near_meridian,
    opposite,
    separation,
)
from trap_hpc.pipeline.associate.neighbours import neighbours
from trap_hpc.pipeline.records import Floats, Integers, Rows
from trap_hpc.pipeline.sources import alpha


class Pairs(NamedTuple):
    """Pairs by ascending (source, row)."""

    source: Integers
    row: Integers
    r: Floats
    """De Ruiter radius."""
    distance_arcsec: Floats


class Limits(NamedTuple):
    """How far apart a pair may be."""

    distance_deg: float
    """TraP's ``beamwidths_limit`` times the beam's semi-major axis."""
    deruiter_radius: float


def find_pairs(
    known: Averages, alive: Mask, rows: Rows, limits: Limits, *, across: bool
) -> Pairs:
    """Return all pairs that are near enough on the sky and by their de Ruiter radius.

    ``rows`` are EXTRACTED; ``across`` says that the image's circle reaches RA 0/360.
    """
    vectors = rows["x"], rows["y"], rows["z"]
    source, row = neighbours(
        known.vectors, alive, vectors, limits.distance_deg * DEGREE
    )
    if len(source) == 0:
        return Pairs(source, row, np.empty(0), np.empty(0))
    order = np.argsort(source * len(rows) + row)
    source, row = source[order], row[order]
    cosine = _cosine(known.vectors, source, vectors, row)
    near = cosine > np.cos(limits.distance_deg * DEGREE)
    source, row = source[near], row[near]
    old, new = Averages(*(column[source] for column in known)), rows[row]
    r = deruiter_radius(old, new, across=across)
    chosen = _in_ranges(old, new, limits.distance_deg, across=across)
    chosen &= r < limits.deruiter_radius
    distance = 3600 * separation(old.vectors, (new["x"], new["y"], new["z"]))
    return Pairs(source[chosen], row[chosen], r[chosen], distance[chosen])


def deruiter_radius(old: Averages, new: Rows, *, across: bool) -> Floats:
    """Return the distance in units of its error (Scheers 2011, chapters 2 and 3)."""
    ra_off = old.wm_ra - new["ra"]
    if across:
        steps = opposite(old.wm_ra) - opposite(new["ra"])
        ra_off = np.where(near_meridian(old.wm_ra), steps / STEPS, ra_off)
    decl_off = old.wm_decl - new["decl"]
    ew_off = ra_off * np.cos((old.wm_decl + new["decl"]) / 2 * DEGREE)
    ew_square = _sum_of_squares(old.wm_uncertainty_ew, new["uncertainty_ew"])
    ns_square = _sum_of_squares(old.wm_uncertainty_ns, new["uncertainty_ns"])
    r: Floats = np.sqrt(ew_off * ew_off / ew_square + decl_off * decl_off / ns_square)
    return r


def _sum_of_squares(one: Floats, other: Floats) -> Floats:
    return one * one + other * other


def _cosine(known: Vectors, source: Integers, new: Vectors, row: Integers) -> Floats:
    (x1, y1, z1), (x2, y2, z2) = known, new
    return x1[source] * x2[row] + y1[source] * y2[row] + z1[source] * z2[row]


def _in_ranges(old: Averages, new: Rows, limit: float, *, across: bool) -> Mask:
    """Apply TraP's ranges: that of right ascension doesn't wrap at 0/360."""
    decl: Mask = np.abs(old.wm_decl - new["decl"]) <= limit
    if across:
        return decl
    half_range = alpha(np.asarray(limit), new["decl"])
    within: Mask = decl & (np.abs(old.wm_ra - new["ra"]) <= half_range)
    return within
