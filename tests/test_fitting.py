from __future__ import annotations

import math

import numpy as np
import pytest

from tests.radio import BEAM, gaussian
from trap_hpc.pipeline.finder.columns import joined
from trap_hpc.pipeline.finder.fitting import fit, model
from trap_hpc.pipeline.finder.gaussians import (
    Beam,
    Gaussians,
    ellipse,
    pixel_peak_statistics,
    quadratic_form,
)
from trap_hpc.pipeline.finder.islands import Islands, Samples, join
from trap_hpc.pipeline.finder.moments import moments
from trap_hpc.pipeline.finder.uncertainties import of_fits, of_moments
from trap_hpc.pipeline.records import Floats

SHAPES = [
    Beam(semimajor=5.0, semiminor=3.0, theta=0.4),
    Beam(semimajor=3.0, semiminor=2.0, theta=-1.2),
    Beam(semimajor=4.0, semiminor=2.5, theta=1.5),
]


def island_of(pixels: Floats, threshold: float = 0.03) -> Islands:
    y, x = np.nonzero(pixels > threshold)
    signal = pixels[y, x]
    level = np.full(signal.size, threshold)
    samples = Samples(x=x, y=y, signal=signal, noise=level / 3, threshold=level)
    return Islands(starts=np.zeros(1, np.int64), pixels=samples)


def three_islands() -> Islands:
    return join(
        [
            island_of(gaussian((50, 60), 20.3 + n, 24.7, 1.0 + n, shape))
            for n, shape in enumerate(SHAPES)
        ]
    )


def test_shapes_are_recovered_from_pixels_without_noise() -> None:
    islands = three_islands()
    found, success = fit(islands, moments(islands, BEAM), None)
    assert success.all()
    np.testing.assert_allclose(found.peak, [1, 2, 3], rtol=1e-6)
    np.testing.assert_allclose(found.x, [20.3, 21.3, 22.3], atol=1e-6)
    np.testing.assert_allclose(found.semimajor, [5, 3, 4], rtol=1e-6)
    np.testing.assert_allclose(found.semiminor, [3, 2, 2.5], rtol=1e-6)
    expected = np.array([shape.theta for shape in SHAPES])
    np.testing.assert_allclose(np.sin(found.theta - expected), 0, atol=1e-6)


def test_a_given_shape_stays_as_it_is() -> None:
    islands = island_of(gaussian((50, 50), 24.2, 25.9, 0.8))
    found, success = fit(islands, moments(islands, BEAM), BEAM)
    assert success.all()
    values = found.peak[0], found.x[0], found.y[0], found.semimajor[0]
    assert values == pytest.approx((0.8, 24.2, 25.9, BEAM.semimajor), abs=1e-7)


def test_each_fit_is_the_same_alone_and_with_others() -> None:
    together = three_islands()
    all_at_once, _ = fit(together, moments(together, BEAM), None)
    alone = joined(
        [fit(island, moments(island, BEAM), None)[0] for island in together.each()]
    )
    for name in ("peak", "x", "y", "semimajor", "semiminor", "theta"):
        assert getattr(alone, name).tobytes() == getattr(all_at_once, name).tobytes()


def test_no_islands_give_no_fits() -> None:
    none = three_islands().only(np.zeros(3, dtype=bool))
    found, success = fit(none, moments(none, BEAM), None)
    assert found.peak.size == success.size == 0


def test_moments_allow_for_what_lies_below_the_threshold() -> None:
    island = island_of(gaussian((80, 80), 40.3, 39.6, 1.0, SHAPES[0]), 0.2)
    found = moments(island, BEAM)
    values = found.x[0], found.y[0], found.semimajor[0], found.semiminor[0]
    assert values == pytest.approx((40.3, 39.6, 5.0, 3.0), rel=0.03)
    assert math.sin(found.theta[0] - 0.4) == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize("pixels", [[[9.0]], [[5.0, 9.0, 7.0]], [[5.0], [9.0], [7.0]]])
def test_thin_islands_have_the_area_of_the_beam(pixels: list[list[float]]) -> None:
    found = moments(island_of(np.array(pixels), 3.0), BEAM)
    assert math.pi * found.semimajor[0] * found.semiminor[0] == pytest.approx(BEAM.area)


def test_an_ellipse_follows_from_its_quadratic_form() -> None:
    axes = np.array([5.0, 4.0]), np.array([2.0, 3.9]), np.array([0.3, -1.4])
    np.testing.assert_allclose(ellipse(quadratic_form(*axes)), axes, rtol=1e-10)


def test_the_brightest_pixel_is_fainter_than_the_peak_by_the_beam() -> None:
    mean, variance = pixel_peak_statistics(BEAM)
    random = np.random.default_rng(1)
    x, y = random.uniform(-0.5, 0.5, (2, 100_000))
    a, b, c = quadratic_form(BEAM.semimajor, BEAM.semiminor, BEAM.theta)
    ratio = np.exp(a * x * x + 2 * b * x * y + c * y * y)
    assert mean == pytest.approx(ratio.mean(), abs=3e-4)
    assert variance == pytest.approx(ratio.var(), rel=0.05)


def point_source(peak: float) -> Gaussians:
    one = np.ones(1)
    return Gaussians(
        peak=peak * one,
        x=30 * one,
        y=30 * one,
        semimajor=BEAM.semimajor * one,
        semiminor=BEAM.semiminor * one,
        theta=BEAM.theta * one,
    )


def test_errors_of_a_point_source_are_those_of_condon() -> None:
    photometry = of_fits(point_source(1.0), np.full(1, 0.01), BEAM)
    # For the beam's own shape rho^2 is 2 (S / N)^2 whatever the exponents.
    rho = math.sqrt(2) * 100
    assert photometry.peak[0] == pytest.approx(1 - 0.01**2)
    assert photometry.peak_err[0] == pytest.approx(math.sqrt(2) / rho, rel=1e-3)
    assert photometry.flux[0] == pytest.approx(1.0)
    assert photometry.flux_err[0] == pytest.approx(math.sqrt(6) / rho, rel=1e-3)
    along = BEAM.semimajor / rho * math.sqrt(2 / math.log(2))
    total = math.hypot(photometry.x_err[0], photometry.y_err[0])
    expected = along * math.hypot(1, BEAM.semiminor / BEAM.semimajor)
    assert total == pytest.approx(expected)


def test_errors_from_moments_exceed_those_of_fits() -> None:
    source, noise = point_source(0.1), np.full(1, 0.01)
    by_moments = of_moments(source, 3 * noise, noise, BEAM)
    assert by_moments.peak_err[0] > of_fits(source, noise, BEAM).peak_err[0]


def test_the_model_of_a_fit_is_its_gaussian() -> None:
    pixels = gaussian((50, 50), 24.2, 25.9, 0.8)
    islands = island_of(pixels)
    found, _ = fit(islands, moments(islands, BEAM), BEAM)
    np.testing.assert_allclose(model(found, islands), islands.pixels.signal, rtol=1e-6)
