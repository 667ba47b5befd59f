"""Running averages of fluxes, and V and eta from them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from trap_hpc.pipeline.associate.growing import Growing
from trap_hpc.pipeline.records import RUNCAT_FLUX, Floats, Integers, Rows

COLUMNS = [name for name in RUNCAT_FLUX.names or () if name.startswith("avg_")]
"""Peak, then integrated: means of f, f^2, w, w f and w f^2 with w = 1 / error^2."""


class Variability(NamedTuple):
    """What a light curve shows up to one of its points, by point."""

    f_datapoints: Integers
    v_int: Floats
    eta_int: Floats


class FluxAverages:
    """The averages of each source in each band; a source unseen there has 0 points."""

    def __init__(self) -> None:
        self._means: dict[int, Growing[np.float64]] = {}
        self._counts: dict[int, Growing[np.int64]] = {}

    def update(
        self, band: int, bases: Integers, sources: Integers, products: Floats
    ) -> Variability:
        """Add to each (different) source a point, one of the ``products`` of rows.

        The averages that it continues are those of its base in this band: of itself,
        or of the parent from which it was split off.
        """
        size = max(sources.max(initial=-1), bases.max(initial=-1)) + 1
        means, counts = self._grown(band, size)
        n = counts[bases]
        new = (n * means[:, bases] + products) / (n + 1)
        means[:, sources] = new
        counts[sources] = n + 1
        _, _, _, _, _, *integrated = new
        return variability(n + 1, *integrated)

    def _grown(self, band: int, size: int) -> tuple[Floats, Integers]:
        means = self._means.setdefault(band, Growing(np.float64, (len(COLUMNS),)))
        counts = self._counts.setdefault(band, Growing(np.int64))
        means.grow(size)
        counts.grow(size)
        return means.values, counts.values

    def rows(self, ids: Integers) -> Rows:
        """Return RUNCAT_FLUX rows of the sources whose id isn't 0; their id stays 0."""
        parts = [np.zeros(0, RUNCAT_FLUX)]
        for band, counts in self._counts.items():
            seen = np.flatnonzero(counts.values)
            seen = seen[ids[seen] > 0]
            part = np.zeros(len(seen), RUNCAT_FLUX)
            part["runcat"], part["band"] = ids[seen], band
            part["f_datapoints"] = counts.values[seen]
            for name, column in zip(COLUMNS, self._means[band].values, strict=True):
                part[name] = column[seen]
            parts.append(part)
        return np.concatenate(parts)


def variability(
    n: Integers, mean: Floats, square: Floats, w: Floats, wf: Floats, wff: Floats
) -> Variability:
    """Return V and eta (Swinbank et al. 2015, equations 1 and 3) of N fluxes.

    The arguments are N and the means of f, f^2, w, w f and w f^2. V is the fluxes'
    standard deviation over their mean, eta the reduced chi-square of a constant.
    As in TraP both are 0 of a single point, a variance below 8e-14 Jy^2 is none, and
    a mean of exactly 0 is taken as 1e-6 Jy. A variance that rounding makes negative is
    none either; TraP fails there.
    """
    several = n > 1
    scale = n / np.maximum(n - 1, 1)
    variance = square - mean * mean
    spread = np.sqrt(scale * np.where(variance < 8e-14, 0.0, variance))
    excess = scale * (w * wff - wf * wf) / w
    v = np.where(several, spread / np.where(mean == 0, 1e-6, mean), 0.0)
    return Variability(n, v, np.where(several, excess, 0.0))


def products_of(rows: Rows) -> Floats:
    """Return f, f^2, w, w f and w f^2 of peak, then of integrated fluxes, by row."""
    products = np.empty((len(COLUMNS), len(rows)))
    for first, name in ((0, "f_peak"), (5, "f_int")):
        flux, error = rows[name], rows[f"{name}_err"]
        square, variance = flux * flux, error * error
        products[first] = flux
        products[first + 1] = square
        products[first + 2] = 1 / variance
        products[first + 3] = flux / variance
        products[first + 4] = square / variance
    return products
