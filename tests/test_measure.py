from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.radio import NOISE_JY, image, parameters, requests_at, sky
from trap_hpc.config.parameters import JobParameters
from trap_hpc.errors import ImageError
from trap_hpc.pipeline.measure import force_image, measure

SOURCES = [(60.0, 70.0, 1.0), (140.0, 90.0, 0.5), (100.0, 150.0, 0.3)]


def test_a_good_image_has_sources_and_limits() -> None:
    made = image(sky(SOURCES))
    found = measure(made, JobParameters())
    assert found.rejection is None
    assert found.header is made.header
    assert found.content == made.content
    assert found.blind.size == 3
    assert 0.5 * NOISE_JY < found.rms_min < NOISE_JY < found.rms_max < 2 * NOISE_JY
    assert found.rms_qc == pytest.approx(NOISE_JY, rel=0.2)


@pytest.mark.parametrize(
    ("pixels", "reason"),
    [
        (np.full((64, 64), np.nan), 4),
        (np.full((64, 64), np.inf), 4),
        (np.full((64, 64), 0.3), 5),
        (np.zeros((64, 64)), 5),
    ],
    ids=["NaN", "infinite", "constant", "zero"],
)
def test_an_image_of_nothing_is_rejected(
    pixels: npt.NDArray[np.float64], reason: int
) -> None:
    found = measure(image(pixels.astype(np.float32)), JobParameters())
    assert found.rejection is not None
    assert found.rejection.reason == reason
    assert found.blind.size == 0
    assert np.isnan(found.rms_min)


def test_a_rejected_image_keeps_its_noise() -> None:
    limits = replace(JobParameters().quality, rms_est_max=0.001)
    found = measure(image(sky([])), replace(JobParameters(), quality=limits))
    assert found.rejection is not None
    assert found.rms_qc == pytest.approx(NOISE_JY, rel=0.2)


def test_the_half_of_an_image_that_is_not_blank_is_measured() -> None:
    pixels = sky(SOURCES)
    pixels[:, 110:] = np.nan
    found = measure(image(pixels), JobParameters())
    assert found.rejection is None
    assert found.blind.size == 2


def test_infinite_pixels_are_blank_pixels() -> None:
    pixels, blank = sky(SOURCES), sky(SOURCES)
    pixels[20:40, 20:40], blank[20:40, 20:40] = np.inf, np.nan
    found, expected = (measure(image(p), JobParameters()) for p in (pixels, blank))
    assert found.blind.tobytes() == expected.blind.tobytes()


def test_an_image_that_is_blank_where_it_is_searched_is_rejected() -> None:
    pixels = sky([], size=300)
    rows, columns = np.ogrid[:300, :300]
    far = np.hypot(rows - 149.5, columns - 149.5) > 20
    options = parameters(extraction_radius_pix=10)
    pixels[~far] = np.nan
    assert measure(image(pixels), options).rejection is not None


def test_an_image_that_shows_noise_only_outside_of_the_field_is_rejected() -> None:
    pixels = np.zeros((300, 300), np.float32)
    pixels[:60] = sky([], size=300)[:60]
    pixels[150, 150] = 1.0
    found = measure(image(pixels), parameters(extraction_radius_pix=40))
    assert found.rejection is not None


@pytest.mark.parametrize("size", [1, 2, 7, 15, 20])
def test_a_tiny_image_is_refused_with_its_size(size: int) -> None:
    with pytest.raises(ImageError, match=f"{size} x {size} pixels"):
        measure(image(sky([], size=20)[:size, :size]), JobParameters())


def test_a_forced_fit_on_a_tiny_image_is_refused_as_well() -> None:
    made = image(sky([], size=20))
    with pytest.raises(ImageError, match="20 x 20 pixels"):
        force_image(made, requests_at(made, 10.0, 10.0), JobParameters())


def test_images_of_double_precision_are_measured_alike() -> None:
    single = measure(image(sky(SOURCES)), JobParameters()).blind
    double = measure(image(sky(SOURCES).astype(np.float64)), JobParameters()).blind
    np.testing.assert_allclose(single["f_int"], double["f_int"], rtol=1e-5)


def test_an_image_need_not_be_square() -> None:
    pixels = sky(SOURCES)[30:170, 10:190]
    found = measure(image(np.ascontiguousarray(pixels)), JobParameters())
    assert found.blind.size == 3


ODD = [0.0, 1e-30, -50.0, 50.0, float("nan"), float("inf"), -float("inf")]


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 2000), st.booleans())
def test_no_pixels_whatever_break_the_source_finder(
    seed: int, count: int, force_beam: bool
) -> None:
    pixels = sky([(20, 20, 1.0)], size=50)[:40].copy()
    odd = np.random.default_rng(seed).choice(ODD, count)
    pixels.flat[:count] = odd
    options = parameters(margin=2, force_beam=force_beam, back_size_x=9, back_size_y=12)
    made = image(pixels)
    found = measure(made, options)
    assert np.isfinite(found.blind["f_int_err"]).all()
    force_image(made, requests_at(made, [10.3, 30.0], [10.0, 20.5]), options)
