from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.radio import BEAM, NOISE_JY, grid, image, parameters, requests_at, sky
from trap_hpc.pipeline.finder.gaussians import Beam
from trap_hpc.pipeline.images import Image
from trap_hpc.pipeline.measure import force_image, measure
from trap_hpc.pipeline.records import EXTRACTED, REQUEST, Rows


def forced(made: Image, x: Any, y: Any, **changes: Any) -> Rows:
    options = parameters(**{"extraction_radius_pix": 1e4, **changes})
    return force_image(made, requests_at(made, x, y), options).fits


def bright_grid() -> tuple[Image, Any, Any]:
    """Sources of 2 Jy anywhere within their pixels."""
    x, y = np.array(grid(600, 40, seed=2)).T
    return (
        image(sky([(*place, 2.0) for place in zip(x, y, strict=True)], size=600)),
        x,
        y,
    )


def test_fluxes_are_unbiased_wherever_in_a_pixel_a_source_lies() -> None:
    made, x, y = bright_grid()
    ratio = forced(made, x, y)["f_int"] / 2.0
    assert abs(ratio.mean() - 1) < 0.003
    assert ratio.std() < 0.01


def test_traps_centring_loses_flux() -> None:
    made, x, y = bright_grid()
    ratio = forced(made, x, y, forced_fit_centre="trap")["f_int"] / 2.0
    assert 0.90 < ratio.mean() < 0.98


def test_traps_centring_is_exact_in_the_middle_of_a_pixel() -> None:
    made = image(sky([(100, 90, 1.0)]))
    exact, trap = (
        forced(made, 100 + 1e-9, 90 + 1e-9, forced_fit_centre=centre)
        for centre in ("exact", "trap")
    )
    # Ten half widths of 3 pixels make a box of 30: its middle is a whole number.
    assert exact["f_peak"] == pytest.approx(trap["f_peak"], rel=1e-7)


def test_a_forced_fit_agrees_with_the_blind_one() -> None:
    made = image(sky([(100.3, 90.6, 1.0)]))
    (blind,) = measure(made, parameters()).blind
    requests = np.array([(3, blind["ra"], blind["decl"])], REQUEST)
    (fit,) = force_image(made, requests, parameters()).fits
    for name in ("f_peak", "f_int", "f_int_err", "semimajor", "pa", "error_radius"):
        assert fit[name] == pytest.approx(blind[name], rel=0.02), name


def test_empty_sky_has_a_flux_about_zero_with_an_error_of_the_noise() -> None:
    x, y = np.array(grid(600, 40)).T
    fits = forced(image(sky([], size=600)), x, y)
    pulls = fits["f_int"] / fits["f_int_err"]
    assert abs(np.nanmean(pulls)) < 0.25
    assert 0.3 < np.nanstd(pulls) < 1.5
    assert np.nanmedian(fits["f_int_err"]) == pytest.approx(NOISE_JY, rel=0.8)


def test_each_fit_is_the_same_alone_and_with_others() -> None:
    made, x, y = bright_grid()
    together = forced(made, x, y)
    alone = np.concatenate([forced(made, *place) for place in zip(x, y, strict=True)])
    assert alone.tobytes() == together.tobytes()


@pytest.mark.parametrize(
    ("x", "y"),
    [(-30.0, 100.0), (100.0, 260.0), (10.2, 100.0), (150.0, 150.0), (100.0, 60.4)],
    ids=["left of it", "above it", "margin", "radius", "touches a blank"],
)
def test_a_fit_beside_unusable_pixels_fails(x: float, y: float) -> None:
    pixels = sky([])
    pixels[61, 101] = np.nan
    radius = 60 if (x, y) == (150.0, 150.0) else 200
    fits = forced(image(pixels), [x, 80.0], [y, 80.0], extraction_radius_pix=radius)
    assert np.isnan(fits["f_peak"]).tolist() == [True, False]


def test_a_failed_fit_keeps_the_position_of_its_request() -> None:
    made = image(sky([]))
    requests = np.array([(1, 10.0, -70.0), (2, 123.4, 52.9)], REQUEST)
    answer = force_image(made, requests, parameters())
    assert answer.address == made.header.address
    assert answer.requests is requests
    failed, good = answer.fits
    assert (failed["ra"], failed["decl"]) == (10.0, -70.0)
    assert np.isnan(failed["f_int"])
    assert np.isfinite(good["f_int"])


def test_a_box_that_reaches_over_the_edge_is_cut() -> None:
    made = image(sky([(14.2, 60.0, 1.0)]))
    (fit,) = forced(made, 14.2, 60.0)
    assert fit["f_peak"] == pytest.approx(1.0, rel=0.1)


def test_no_requests_give_no_fits() -> None:
    answer = forced(image(sky([])), np.empty(0), np.empty(0))
    assert answer.size == 0
    assert answer.dtype == EXTRACTED


def test_an_image_without_usable_pixels_fails_all_its_fits() -> None:
    blank = image(np.full((100, 100), np.nan, np.float32))
    assert np.isnan(forced(blank, [50.0, 60.0], [50.0, 60.0])["f_peak"]).all()


def test_a_beam_of_broken_size_has_a_box_about_the_source() -> None:
    beam = Beam(semimajor=2.27, semiminor=2.1, theta=0.3)
    made = image(sky([(100.4, 90.7, 1.0)], beam=beam), beam=beam)
    (fit,) = forced(made, 100.4, 90.7)
    assert fit["f_int"] == pytest.approx(1.0, rel=0.05)
    assert BEAM.semimajor != beam.semimajor
