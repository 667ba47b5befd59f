"""The tables that a plain list of sources amounts to."""

from __future__ import annotations

import math
import statistics

from tests.plain_rules import Row, Source, flux_means
from tests.trap_catalogue import Table


def plain_tables(sources: list[Source]) -> dict[str, Table]:
    """Return TraP's tables with sources named by their first extractions."""
    return {
        "assocxtrsource": {
            (s.xtrsrc, int(point["xtrsrc"])): point
            for s in sources
            for point in s.curve
        },
        "runningcatalog": {(s.xtrsrc,): runcat_row(s) for s in sources},
        "runningcatalog_flux": {
            (s.xtrsrc, band): flux_row(points)
            for s in sources
            for band, points in s.fluxes.items()
        },
        "newsource": {
            (s.xtrsrc, s.newsource[0]): newsource_row(s.newsource)
            for s in sources
            if s.newsource
        },
        "assocskyrgn": {
            (s.xtrsrc, region): {"distance_deg": distance}
            for s in sources
            for region, distance in s.regions.items()
        },
        "varmetric": {(s.xtrsrc,): varmetric_row(s.curve) for s in sources},
    }


def runcat_row(source: Source) -> Row:
    mean = source.mean
    return {
        "datapoints": source.datapoints,
        "forcedfits_count": source.forced_fits,
        "mon_src": float(source.monitored),
        "wm_ra": mean["ra"],
        "wm_decl": mean["decl"],
        "wm_uncertainty_ew": mean["uncertainty_ew"],
        "wm_uncertainty_ns": mean["uncertainty_ns"],
        "avg_ra_err": mean["ra_err"],
        "avg_decl_err": mean["decl_err"],
        "avg_wra": mean["ra"] * mean["weight_ra"],
        "avg_wdecl": mean["decl"] * mean["weight_decl"],
        "avg_weight_ra": mean["weight_ra"],
        "avg_weight_decl": mean["weight_decl"],
        "zone": math.floor(mean["decl"]),
        **{axis: mean[axis] for axis in "xyz"},
    }


def flux_row(points: list[Row]) -> Row:
    return {
        "f_datapoints": len(points),
        **flux_means(points, "f_peak"),
        **flux_means(points, "f_int"),
    }


def newsource_row(newsource: tuple[int, int, int]) -> Row:
    _, image, kind = newsource
    return {"previous_limits_image": image, "newsource_type": kind}


def varmetric_row(curve: list[Row]) -> Row:
    times: dict[float, float] = {}
    for point in curve:
        times[point["band"]] = max(point["time"], times.get(point["band"], 0))
    latest = [point for point in curve if point["time"] in times.values()]
    brightest = max(latest, key=lambda point: point["f_int"])
    fluxes = [p["f_int"] for p in curve if p["band"] == brightest["band"]]
    return {
        "v_int": brightest["v_int"],
        "eta_int": brightest["eta_int"],
        "band": brightest["band"],
        "lightcurve_max": max(fluxes),
        "lightcurve_avg": statistics.fmean(fluxes),
        "lightcurve_median": statistics.median(fluxes),
    }
