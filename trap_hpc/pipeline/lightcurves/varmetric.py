"""The ``varmetric`` row of a source: its light curve in a few numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trap_hpc.pipeline.records import Floats, Integers, Rows

Mask = npt.NDArray[np.bool_]

VARMETRIC = np.dtype(
    [("runcat", "<i8"), ("band", "<i8")]
    + [
        (name, "<f8")
        for name in (
            "v_int",
            "eta_int",
            "lightcurve_max",
            "lightcurve_avg",
            "lightcurve_median",
        )
    ]
)
"""What of ``varmetric`` follows from the light curve alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Varmetric:
    """What of ``varmetric`` follows from the light curve alone; fluxes in Jy."""

    band: int
    v_int: float
    eta_int: float
    lightcurve_max: float
    lightcurve_avg: float
    lightcurve_median: float


def varmetric(
    taustart_us: Integers, band: Integers, f_int: Floats, v_int: Floats, eta_int: Floats
) -> Varmetric:
    """Return the numbers of one source from its whole light curve (one point or more).

    V, eta and band are those of its brightest point at the latest time of any band
    (among the points, of whatever band, at the latest times of the bands); maximum,
    mean and median are over all its points of that band.
    """
    rows = varmetrics(
        np.zeros(len(f_int), np.int64), taustart_us, band, f_int, v_int, eta_int
    )
    _, *numbers = rows[0].item()
    names = VARMETRIC.names or ()
    return Varmetric(**dict(zip(names[1:], numbers, strict=True)))


def varmetrics(
    runcat: Integers,
    taustart_us: Integers,
    band: Integers,
    f_int: Floats,
    v_int: Floats,
    eta_int: Floats,
) -> Rows:
    """Return VARMETRIC rows, by ascending runcat, for points in any order.

    The numbers are those of ``varmetric``. Of points of equal flux the earlier counts.
    """
    brightest = _brightest(runcat, f_int, _at_latest_times(runcat, taustart_us, band))
    rows = np.zeros(len(brightest), VARMETRIC)
    rows["runcat"], rows["band"] = runcat[brightest], band[brightest]
    rows["v_int"], rows["eta_int"] = v_int[brightest], eta_int[brightest]
    _summarise(rows, runcat, band, f_int)
    return rows


def _at_latest_times(runcat: Integers, time: Integers, band: Integers) -> Mask:
    """Tell which points are at the latest time of any band of their runcat."""
    moment = _numbered(runcat, time)
    order = np.lexsort((time, band, runcat))
    last = order[_ends(_numbered(runcat, band)[order])]
    latest = np.zeros(len(runcat), bool)
    latest[moment[last]] = True
    return latest[moment]


def _brightest(runcat: Integers, f_int: Floats, among: Mask) -> Integers:
    """Return each runcat's first point of largest flux among those given."""
    points = np.flatnonzero(among)
    order = points[np.lexsort((-points, f_int[points], runcat[points]))]
    return order[_ends(runcat[order])]


def _summarise(rows: Rows, runcat: Integers, band: Integers, f_int: Floats) -> None:
    """Fill in maximum, mean and median over the points of each row's band."""
    row = np.searchsorted(rows["runcat"], runcat)
    inside = rows["band"][row] == band
    row, flux = row[inside], f_int[inside]
    order = np.lexsort((flux, row))
    flux, count = flux[order], np.bincount(row, minlength=len(rows))
    stop = np.cumsum(count)
    start = stop - count
    rows["lightcurve_max"] = flux[stop - 1]
    rows["lightcurve_avg"] = np.add.reduceat(flux, start) / count
    middle = start + stop
    rows["lightcurve_median"] = (flux[(middle - 1) // 2] + flux[middle // 2]) / 2


def _numbered(first: Integers, second: Integers) -> Integers:
    """Give numbers to the different pairs of values, from 0 in ascending order."""
    order = np.lexsort((second, first))
    steps = (np.diff(first[order]) != 0) | (np.diff(second[order]) != 0)
    number = np.zeros(len(first), np.int64)
    number[order[1:]] = np.cumsum(steps)
    return number


def _ends(groups: Integers) -> Mask:
    """Mark the last member of each run of equal values."""
    ends = np.ones(len(groups), bool)
    ends[:-1] = groups[1:] != groups[:-1]
    return ends
