"""From what the source finder measures to a row of TraP's ``extractedsource``."""

from __future__ import annotations

import numpy as np

from trap_hpc.pipeline.records import EXTRACTED, SOURCE, Floats, Rows


def derive(source_rows: Rows) -> Rows:
    """Add to SOURCE rows what follows from them alone; one EXTRACTED row for each.

    The errors on the sky gain the systematic ones in quadrature (all in degrees), and
    an unbounded ``error_radius`` becomes 360 arcsec, as in TraP. The unit vector
    ``x, y, z`` points to the source.
    """
    rows = np.empty(source_rows.size, EXTRACTED)
    for name in SOURCE.fields or ():
        rows[name] = source_rows[name]
    rows["error_radius"][np.isinf(rows["error_radius"])] = 360.0
    ew_sys_deg, ns_sys_deg, radius_deg = (
        rows[name] / 3600 for name in ("ew_sys_err", "ns_sys_err", "error_radius")
    )
    rows["uncertainty_ew"] = np.hypot(ew_sys_deg, radius_deg)
    rows["uncertainty_ns"] = np.hypot(ns_sys_deg, radius_deg)
    rows["ra_err"] = np.hypot(rows["ra_fit_err"], alpha(ew_sys_deg, rows["decl"]))
    rows["decl_err"] = np.hypot(rows["decl_fit_err"], ns_sys_deg)
    rows["zone"] = np.floor(rows["decl"])
    ra, decl = np.radians(rows["ra"]), np.radians(rows["decl"])
    rows["x"] = np.cos(decl) * np.cos(ra)
    rows["y"] = np.cos(decl) * np.sin(ra)
    rows["z"] = np.sin(decl)
    rows["racosdecl"] = rows["ra"] * np.cos(decl)
    return rows


def alpha(theta_deg: Floats, decl_deg: Floats) -> Floats:
    """Half the range of right ascension (deg) of a circle of radius ``theta_deg``.

    Gray, Nieto-Santisteban & Szalay (2006), MSR-TR-2006-52, section 2.1; near a pole
    the circle takes in all right ascensions, and the half range is 180.
    """
    theta, decl = np.radians(theta_deg), np.radians(decl_deg)
    across = np.sqrt(np.abs(np.cos(decl - theta) * np.cos(decl + theta)))
    inflated = np.degrees(np.abs(np.arctan2(np.sin(theta), across)))
    polar: Floats = np.where(np.abs(decl_deg) + theta_deg > 89.9, 180.0, inflated)
    return polar
