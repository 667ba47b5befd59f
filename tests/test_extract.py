from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from tests.radio import (
    BEAM,
    NOISE_JY,
    PIXEL_DEG,
    beam_noise,
    gaussian,
    grid,
    image,
    parameters,
    sky,
)
from trap_hpc.pipeline.finder.gaussians import Beam
from trap_hpc.pipeline.images import Image
from trap_hpc.pipeline.measure import measure
from trap_hpc.pipeline.records import Rows


def extracted(made: Image, **changes: Any) -> Rows:
    return measure(made, parameters(**{"extraction_radius_pix": 1e4, **changes})).blind


def pixels_of(rows: Rows, made: Image) -> tuple[Any, Any]:
    return made.sky.to_pixel(rows["ra"], rows["decl"])


def nearest(rows: Rows, made: Image, x: Any, y: Any) -> Rows:
    """The row nearest to each pixel position."""
    found_x, found_y = pixels_of(rows, made)
    distance = np.hypot(found_x[:, None] - x, found_y[:, None] - y)
    found: Rows = rows[distance.argmin(axis=0)]
    return found


@pytest.mark.parametrize("force_beam", [True, False])
def test_fluxes_and_positions_are_right_within_their_errors(force_beam: bool) -> None:
    x, y = np.array(grid(800, 40)).T
    peaks = np.random.default_rng(5).uniform(0.15, 1.0, x.size)
    made = image(sky(zip(x, y, peaks, strict=True), size=800))
    rows = extracted(made, force_beam=force_beam)
    assert len(rows) == x.size
    rows = nearest(rows, made, x, y)
    ra, decl = made.sky.to_sky(x, y)
    for value, truth, error in (
        ("ra", ra, "ra_fit_err"),
        ("decl", decl, "decl_fit_err"),
        ("f_peak", peaks, "f_peak_err"),
        ("f_int", peaks, "f_int_err"),
    ):
        pull = (rows[value] - truth) / rows[error]
        assert abs(np.median(pull)) < 0.3, value
        # Condon's errors of peaks are a little small in such noise (as in TraP).
        assert 0.4 < pull.std() < (1.7 if value == "f_peak" else 1.4), value


def test_the_shape_of_a_source_is_measured_on_the_sky() -> None:
    wide = Beam(semimajor=6.0, semiminor=3.0, theta=math.radians(70))
    pixels = sky([]) + gaussian((200, 200), 100, 100, 2.0, wide)
    (row,) = extracted(image(pixels), force_beam=False)
    scale = PIXEL_DEG * 3600
    assert row["gaussian"]
    assert row["semimajor"] == pytest.approx(6 * scale, rel=0.02)
    assert row["semiminor"] == pytest.approx(3 * scale, rel=0.02)
    assert row["pa"] == pytest.approx(70, abs=1)
    assert row["f_int"] == pytest.approx(2 * 18 / 7.5, rel=0.03)


def test_position_angles_are_counted_from_the_north_at_the_source() -> None:
    pixels = sky([(30, 100, 1.0), (170, 100, 1.0)])
    rows = extracted(image(pixels, centre=(123.4, 80.0)))
    turn = np.diff(rows["pa"])[0]
    # North turns by the difference in right ascension times the sine of declination.
    expected = np.diff(rows["ra"])[0] * math.sin(math.radians(80))
    assert turn == pytest.approx(expected, rel=0.02)


def test_errors_of_right_ascension_do_not_jump_at_0_h() -> None:
    made = image(sky([(100.01, 100, 0.5)]), centre=(0.0, 30.0))
    (row,) = extracted(made)
    assert 0 < row["ra_fit_err"] < 0.01


def test_small_islands_are_measured_by_moments_unless_the_beam_is_forced() -> None:
    narrow = Beam(semimajor=0.9, semiminor=0.8, theta=0.0)
    pixels = beam_noise((200, 200), 1, BEAM) + gaussian(
        (200, 200), 90, 80, 0.12, narrow
    )
    made = image(pixels.astype(np.float32), beam=narrow)
    (row,) = extracted(made, force_beam=False)
    assert not row["gaussian"]
    x, y = pixels_of(row, made)
    assert (float(x), float(y)) == pytest.approx((90, 80), abs=0.5)
    assert extracted(made, force_beam=True).size == 0


def test_close_sources_are_one_blend_with_their_flux() -> None:
    made = image(sky([(100, 100, 1.0), (104, 100, 1.0)]))
    (row,) = extracted(made, force_beam=False)
    assert row["f_int"] == pytest.approx(2.0, rel=0.1)
    assert row["semimajor"] > 1.2 * BEAM.semimajor * PIXEL_DEG * 3600


def test_a_blend_comes_apart_by_deblending() -> None:
    made = image(sky([(100, 100, 1.0), (109, 100, 0.7)]))
    assert extracted(made, force_beam=True).size == 1
    rows = extracted(made, force_beam=True, deblend_nthresh=32)
    np.testing.assert_allclose(rows["f_peak"], [1.0, 0.7], rtol=0.1)


def test_a_source_whose_ellipse_leaves_the_field_is_dropped() -> None:
    made = image(sky([(100, 11.0, 1.0), (100, 16.0, 1.0), (100, 100, 1.0)]))
    rows = extracted(made)
    assert rows.size == 1 or pixels_of(rows, made)[1].min() > 13


def test_nothing_is_found_outside_of_the_radius_or_in_blank_pixels() -> None:
    sources = [(100.0, 100.0, 1.0), (30.0, 30.0, 1.0), (140.0, 60.0, 1.0)]
    pixels = sky(sources)
    pixels[40:80, 120:160] = np.nan
    made = image(pixels)
    (row,) = extracted(made, extraction_radius_pix=80)
    x, y = pixels_of(row, made)
    assert (float(x), float(y)) == pytest.approx((100, 100), abs=0.3)


def test_noise_alone_gives_no_sources() -> None:
    assert extracted(image(sky([], size=400))).size == 0


def test_the_significance_is_that_of_the_brightest_pixel() -> None:
    (row,) = extracted(image(sky([(100, 100, 0.5)])))
    assert row["det_sigma"] == pytest.approx(0.5 / NOISE_JY, rel=0.2)


def test_rows_come_column_by_column() -> None:
    made = image(sky([(150, 40, 1.0), (50, 140, 1.0), (100, 90, 1.0)]))
    x, _ = pixels_of(extracted(made), made)
    assert x.round().tolist() == [50, 100, 150]


def test_the_same_image_gives_the_same_bytes() -> None:
    pixels = sky([(*place, 0.5) for place in grid(400, 50)], size=400)
    first, second = (extracted(image(pixels.copy())) for _ in range(2))
    assert first.tobytes() == second.tobytes()
