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
from trap_hpc.pipeline.records import Floats, Rows


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


def begun(rows: Rows) -> Averages:
    """Return the averages of sources that were seen once, in EXTRACTED ``rows``."""
    weight_ra, weight_decl = _weights(rows)
    ew, ns = rows["uncertainty_ew"], rows["uncertainty_ns"]
    return Averages(
        datapoints=np.ones(len(rows)),
        wm_ra=rows["ra"],
        wm_decl=rows["decl"],
        wm_uncertainty_ew=ew,
        wm_uncertainty_ns=ns,
        avg_ra_err=rows["ra_err"],
        avg_decl_err=rows["decl_err"],
        avg_wra=rows["ra"] / (ew * ew),
        avg_wdecl=rows["decl"] / (ns * ns),
        avg_weight_ra=weight_ra,
        avg_weight_decl=weight_decl,
        x=rows["x"],
        y=rows["y"],
        z=rows["z"],
    )


def continued(old: Averages, rows: Rows, *, across: bool) -> Averages:
    """Return the averages after one more point each, in EXTRACTED ``rows``.

    ``across`` says that the image's circle reaches RA 0/360. Then right ascensions
    near that meridian are averaged from its far side, starting from the mean position
    instead of the mean product, as TraP does.
    """
    n = old.datapoints
    total_ra, total_decl = (
        n * old.avg_weight_ra + 1 / _square(rows["uncertainty_ew"]),
        n * old.avg_weight_decl + 1 / _square(rows["uncertainty_ns"]),
    )
    weighted_decl = rows["decl"] / _square(rows["uncertainty_ns"])
    sum_decl = n * old.avg_wdecl + weighted_decl
    ra, avg_wra = _mean_ra(old, rows, total_ra)
    decl = sum_decl / total_decl
    wm_ra = ra
    if across:
        ra, wm_ra, avg_wra = _mean_ra_across(old, rows, total_ra, ra, avg_wra)
        decl = (n * old.avg_weight_decl * old.wm_decl + weighted_decl) / total_decl
    x, y, z = unit_vectors(ra, decl)
    return Averages(
        datapoints=n + 1,
        wm_ra=wm_ra,
        wm_decl=decl,
        wm_uncertainty_ew=np.sqrt(1 / total_ra),
        wm_uncertainty_ns=np.sqrt(1 / total_decl),
        avg_ra_err=(n * old.avg_ra_err + rows["ra_err"]) / (n + 1),
        avg_decl_err=(n * old.avg_decl_err + rows["decl_err"]) / (n + 1),
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


def _weights(rows: Rows) -> tuple[Floats, Floats]:
    ew, ns = rows["uncertainty_ew"], rows["uncertainty_ns"]
    return 1 / (ew * ew), 1 / (ns * ns)


def _mean_ra(old: Averages, rows: Rows, total: Floats) -> tuple[Floats, Floats]:
    """Return the weighted mean, and the mean product of weight and value."""
    n = old.datapoints
    summed = n * old.avg_wra + rows["ra"] / _square(rows["uncertainty_ew"])
    return summed / total, summed / (n + 1)


def _mean_ra_across(
    old: Averages, rows: Rows, total: Floats, plain: Floats, plain_wra: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return the mean within -180..360 and within 0..360, and the mean product.

    A mean less than 8e-14 below zero is taken as zero, but not its product: TraP's.
    """
    n, near = old.datapoints, near_meridian(old.wm_ra)
    shifted = n * old.avg_weight_ra * (opposite(old.wm_ra) / STEPS)
    shifted += opposite(rows["ra"]) / STEPS / _square(rows["uncertainty_ew"])
    ra = np.where(near, shifted / total - 180, plain)
    lifted = np.where(ra < 0, ra + 360, ra)
    avg_wra = np.where(near, lifted * (total / (n + 1)), plain_wra)
    return ra, np.where((ra < 0) & (ra >= -8e-14), 0.0, lifted), avg_wra
