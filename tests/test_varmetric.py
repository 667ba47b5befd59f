"""A light curve in a few numbers."""

from __future__ import annotations

import numpy as np
import pytest

from trap_hpc.pipeline.lightcurves import Varmetric, varmetric, varmetrics
from trap_hpc.pipeline.records import Floats, Integers


def one(*points: tuple[int, int, float]) -> Varmetric:
    """The numbers of a curve of (time, band, flux), with V = flux and eta = -flux."""
    time, band, flux = (np.array(column) for column in zip(*points, strict=True))
    return varmetric(time, band, flux.astype(float), flux, -flux)


def test_v_and_eta_are_those_of_the_latest_point() -> None:
    found = one((1, 1, 5.0), (3, 1, 2.0), (2, 1, 9.0))
    assert (found.band, found.v_int, found.eta_int) == (1, 2.0, -2.0)


def test_of_several_bands_the_brightest_latest_point_counts() -> None:
    assert one((3, 1, 2.0), (3, 2, 4.0)).band == 2
    assert one((1, 1, 7.0), (3, 2, 4.0)).band == 1


def test_any_band_counts_at_the_latest_time_of_another() -> None:
    # Band 1 was last seen at time 1, when band 2 was bright.
    assert one((1, 1, 2.0), (1, 2, 9.0), (3, 2, 4.0)).v_int == 9.0


def test_maximum_mean_and_median_are_of_that_band() -> None:
    found = one((1, 1, 1.0), (2, 1, 4.0), (3, 1, 7.0), (4, 1, 8.0), (3, 2, 2.0))
    assert found.lightcurve_max == 8.0
    assert found.lightcurve_avg == pytest.approx(5.0)
    assert found.lightcurve_median == pytest.approx(5.5)


def test_the_median_of_an_odd_number_is_the_middle_one() -> None:
    assert one((1, 1, 1.0), (2, 1, 7.0), (3, 1, 4.0)).lightcurve_median == 4.0


def random_points() -> tuple[Integers, Integers, Integers, Floats]:
    rng = np.random.default_rng(1)
    runcat, time, band = rng.integers(1, (20, 9, 4), (300, 3)).T
    return runcat, time, band, rng.random(300)


def test_many_sources_at_once_give_what_each_gives_alone() -> None:
    runcat, time, band, flux = random_points()
    rows = varmetrics(runcat, time, band, flux, flux + 1, flux + 2)
    assert rows["runcat"].tolist() == sorted(set(runcat.tolist()))
    for row in rows:
        own = runcat == row["runcat"]
        alone = varmetric(time[own], band[own], flux[own], flux[own] + 1, flux[own] + 2)
        names = Varmetric.__slots__
        assert [row[n] for n in names] == [getattr(alone, n) for n in names]


def test_no_points_give_no_rows() -> None:
    none, no_floats = np.empty(0, np.int64), np.empty(0)
    assert len(varmetrics(none, none, none, no_floats, no_floats, no_floats)) == 0
