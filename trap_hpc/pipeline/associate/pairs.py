"""Candidate pairs of running-catalogue sources and blind extractions of one image."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from trap_hpc.pipeline.associate.averages import Averages, Points
from trap_hpc.pipeline.associate.geometry import (
    DEGREE,
    STEPS,
    Mask,
    Vectors,
    near_meridian,
    opposite,
    separation,
    some,
)
from trap_hpc.pipeline.associate.neighbours import neighbours
from trap_hpc.pipeline.records import Floats, Integers
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


class _Places(NamedTuple):
    """What pairs are judged by, on either side; angles in degrees."""

    ra: Floats
    decl: Floats
    ew: Floats
    ns: Floats

    def at(self, places: Integers) -> _Places:
        return _Places(*(column[places] for column in self))


def find_pairs(
    known: Averages, alive: Mask, points: Points, limits: Limits, *, across: bool
) -> Pairs:
    """Return all pairs that are near enough on the sky and by their de Ruiter radius.

    ``across`` says that the image's circle reaches RA 0/360.
    """
    limit = limits.distance_deg
    source, row = neighbours(known.vectors, alive, points.vectors, limit * DEGREE)
    cosine = _cosine(some(known.vectors, source), some(points.vectors, row))
    near = np.flatnonzero(cosine > np.cos(limit * DEGREE))
    source, row = source[near], row[near]
    old, new = _places(known, points)
    old, new = old.at(source), new.at(row)
    r = deruiter_radius(old, new, across=across)
    chosen = (r < limits.deruiter_radius) & (np.abs(old.decl - new.decl) <= limit)
    if not across:
        # TraP's range of right ascension doesn't wrap at 0/360.
        chosen &= np.abs(old.ra - new.ra) <= alpha(np.asarray(limit), points.decl)[row]
    places = np.flatnonzero(chosen)
    return _sorted_pairs(known, points, source[places], row[places], r[places])


def deruiter_radius(old: _Places, new: _Places, *, across: bool) -> Floats:
    """Return the distance in units of its error (Scheers 2011, chapters 2 and 3)."""
    ra_off, decl_off = old.ra - new.ra, old.decl - new.decl
    if across:
        steps = opposite(old.ra) - opposite(new.ra)
        ra_off = np.where(near_meridian(old.ra), steps / STEPS, ra_off)
    ew_off = ra_off * np.cos((old.decl + new.decl) / 2 * DEGREE)
    ew_square = old.ew * old.ew + new.ew * new.ew
    ns_square = old.ns * old.ns + new.ns * new.ns
    r: Floats = np.sqrt(ew_off * ew_off / ew_square + decl_off * decl_off / ns_square)
    return r


def _places(known: Averages, points: Points) -> tuple[_Places, _Places]:
    ew, ns = known.wm_uncertainty_ew, known.wm_uncertainty_ns
    old = _Places(known.wm_ra, known.wm_decl, ew, ns)
    new = _Places(points.ra, points.decl, points.uncertainty_ew, points.uncertainty_ns)
    return old, new


def _sorted_pairs(
    known: Averages, points: Points, source: Integers, row: Integers, r: Floats
) -> Pairs:
    order = np.argsort(source * len(points.ra) + row)
    source, row = source[order], row[order]
    apart = separation(some(known.vectors, source), some(points.vectors, row))
    return Pairs(source, row, r[order], 3600 * apart)


def _cosine(one: Vectors, other: Vectors) -> Floats:
    (x1, y1, z1), (x2, y2, z2) = one, other
    return x1 * x2 + y1 * y2 + z1 * z2
