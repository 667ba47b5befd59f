"""Running averages of a source's position (Scheers 2011; TraP's recurrences)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from trap_hpc.pipeline.associate.geometry import (
    STEPS,
    Vectors,
    near_meridian,
    opposite,
    unit_vectors,
)
from trap_hpc.pipeline.records import Floats, Integers, Rows


class Averages(NamedTuple):
    """Columns of ``runningcatalog``, each an array by source; angles in degrees."""

    datapoints: Floats
    wm_ra: Floats
    wm_decl: Floats
    wm_uncertainty_ew: Floats
    wm_uncertainty_ns: Floats
    avg_ra_err: Floats
    avg_decl_err: Floats
    avg_wra: Floats
    avg_wdecl: Floats
    avg_weight_ra: Floats
    avg_weight_decl: Floats
    x: Floats
    y: Floats
    z: Floats

    @property
    def vectors(self) -> Vectors:
        """Unit vectors to the mean positions."""
        return self.x, self.y, self.z


class Points(NamedTuple):
    """Columns of ``extractedsource``, each an array by row; angles in degrees."""

    ra: Floats
    decl: Floats
    uncertainty_ew: Floats
    uncertainty_ns: Floats
    ra_err: Floats
    decl_err: Floats
    x: Floats
    y: Floats
    z: Floats

    @property
    def vectors(self) -> Vectors:
        """Unit vectors to the positions."""
        return self.x, self.y, self.z

    def at(self, rows: Integers) -> Points:
        """Return some of them."""
        return Points(*(column[rows] for column in self))


def points_of(rows: Rows) -> Points:
    """Return the positions of EXTRACTED rows."""
    columns = (np.ascontiguousarray(rows[name]) for name in Points._fields)
    return Points(*columns)


def begun(new: Points) -> Averages:
    """Return the averages of sources that were seen once."""
    ew_square, ns_square = _square(new.uncertainty_ew), _square(new.uncertainty_ns)
    return Averages(
        datapoints=np.ones(len(new.ra)),
        wm_ra=new.ra,
        wm_decl=new.decl,
        wm_uncertainty_ew=new.uncertainty_ew,
        wm_uncertainty_ns=new.uncertainty_ns,
        avg_ra_err=new.ra_err,
        avg_decl_err=new.decl_err,
        avg_wra=new.ra / ew_square,
        avg_wdecl=new.decl / ns_square,
        avg_weight_ra=1 / ew_square,
        avg_weight_decl=1 / ns_square,
        x=new.x,
        y=new.y,
        z=new.z,
    )


def continued(old: Averages, new: Points, *, across: bool) -> Averages:
    """Return the averages after one more point each.

    ``across`` says that the image's circle reaches RA 0/360. Then right ascensions
    near that meridian are averaged from its far side, starting from the mean position
    instead of the mean product, as TraP does.
    """
    n, ns_square = old.datapoints, _square(new.uncertainty_ns)
    total_ra = n * old.avg_weight_ra + 1 / _square(new.uncertainty_ew)
    total_decl = n * old.avg_weight_decl + 1 / ns_square
    sum_decl = n * old.avg_wdecl + new.decl / ns_square
    decl = sum_decl / total_decl
    ra, avg_wra = _mean_ra(old, new, total_ra)
    wm_ra = ra
    if across:
        ra, wm_ra, avg_wra = _mean_ra_across(old, new, total_ra, ra, avg_wra)
    x, y, z = unit_vectors(ra, decl)
    return Averages(
        datapoints=n + 1,
        wm_ra=wm_ra,
        wm_decl=decl,
        wm_uncertainty_ew=np.sqrt(1 / total_ra),
        wm_uncertainty_ns=np.sqrt(1 / total_decl),
        avg_ra_err=(n * old.avg_ra_err + new.ra_err) / (n + 1),
        avg_decl_err=(n * old.avg_decl_err + new.decl_err) / (n + 1),
        avg_wra=avg_wra,
        avg_wdecl=sum_decl / (n + 1),
        avg_weight_ra=total_ra / (n + 1),
        avg_weight_decl=total_decl / (n + 1),
        x=x,
        y=y,
        z=z,
    )


def _square(values: Floats) -> Floats:
    return values * values


def _mean_ra(old: Averages, new: Points, total: Floats) -> tuple[Floats, Floats]:
    """Return the weighted mean, and the mean product of weight and value."""
    n = old.datapoints
    summed = n * old.avg_wra + new.ra / _square(new.uncertainty_ew)
    return summed / total, summed / (n + 1)


def _mean_ra_across(
    old: Averages, new: Points, total: Floats, plain: Floats, plain_wra: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return the mean within -180..360 and within 0..360, and the mean product.

    A mean less than 8e-14 below zero is taken as zero, but not its product: TraP's.
    """
    n, near = old.datapoints, near_meridian(old.wm_ra)
    shifted = n * old.avg_weight_ra * (opposite(old.wm_ra) / STEPS)
    shifted += opposite(new.ra) / STEPS / _square(new.uncertainty_ew)
    ra = np.where(near, shifted / total - 180, plain)
    lifted = np.where(ra < 0, ra + 360, ra)
    avg_wra = np.where(near, lifted * (total / (n + 1)), plain_wra)
    return ra, np.where((ra < 0) & (ra >= -8e-14), 0.0, lifted), avg_wra
