from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import brentq

from tests.radio import NOISE_JY, beam_noise, gaussian, image, parameters, sky
from trap_hpc.errors import ImageError
from trap_hpc.pipeline.finder.background import Cleared, clear
from trap_hpc.pipeline.finder.field import Pixels, search_field
from trap_hpc.pipeline.finder.tiles import level_and_noise
from trap_hpc.pipeline.records import Floats


def cleared(pixels: Pixels, **changes: float) -> Cleared:
    extraction = parameters(**changes).source_extraction
    field = search_field(pixels, extraction)
    assert field is not None
    made = clear(field, extraction)
    assert made is not None
    return made


def plain_level_and_noise(pixels: Floats) -> tuple[float, float]:
    """TraP's clipping, pixel by pixel and step by step."""
    limit = math.inf
    while True:
        median, std = float(np.median(pixels)), float(np.std(pixels))
        sigma = std if limit == math.inf else unclipped(std, limit)
        limit = 2 * sigma
        kept = pixels[np.abs(pixels - median) <= limit]
        if kept.size == pixels.size:
            break
        pixels = kept
    mean = float(np.mean(pixels))
    skewed = abs(mean - median) / sigma >= 0.3
    return median if skewed else 2.5 * median - 1.5 * mean, sigma


def unclipped(std: float, limit: float) -> float:
    """Sigma of a Gaussian that has ``std`` when it is cut off at +-limit."""

    def too_much(sigma: float) -> float:
        t = limit / sigma
        lost = t * math.sqrt(2 / math.pi) * math.exp(-t * t / 2)
        return sigma**2 * (1 - lost / math.erf(t / math.sqrt(2))) - std**2

    return float(brentq(too_much, std, 20 * limit, xtol=1e-15))


def test_tiles_are_clipped_as_by_hand() -> None:
    pixels = beam_noise((60, 60), seed=3) + 0.2
    pixels += gaussian((60, 60), 20, 30, 5.0) + gaussian((60, 60), 45, 10, 0.1)
    tiles = np.array([pixels[:30].ravel(), pixels[30:].ravel(), -pixels[:30].ravel()])
    expected = np.array([plain_level_and_noise(tile) for tile in tiles])
    found = np.array(level_and_noise(tiles)).T
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_tiles_of_unequal_size_are_measured_together() -> None:
    whole = np.random.default_rng(1).normal(size=(2, 400))
    part = whole.copy()
    part[1, 150:] = np.inf
    level, noise = level_and_noise(part)
    np.testing.assert_allclose(
        (level[1], noise[1]), plain_level_and_noise(whole[1, :150]), rtol=1e-6
    )
    assert noise[0] == level_and_noise(whole)[1][0]


def test_a_tile_with_a_nan_or_of_equal_pixels_has_no_noise() -> None:
    tiles = np.random.default_rng(1).normal(size=(3, 100))
    tiles[0, 5], tiles[1] = np.nan, 0.7
    _, noise = level_and_noise(tiles)
    assert noise[0] == 0
    assert noise[1] == 0
    assert noise[2] > 0.5


def test_the_noise_of_an_image_is_found_under_its_sources() -> None:
    sources = [(x, y, 1.0) for x in range(30, 480, 40) for y in range(30, 480, 40)]
    made = cleared(sky(sources, size=500))
    assert np.median(made.noise) == pytest.approx(NOISE_JY, rel=0.08)
    assert np.median(made.signal) == pytest.approx(0, abs=0.2 * NOISE_JY)


def test_a_slope_of_the_background_is_taken_away() -> None:
    slope = np.linspace(0, 0.3, 400, dtype=np.float32)
    made = cleared(sky([], size=400) + slope)
    inner = made.signal[50:-50, 50:-50]
    assert np.abs(inner.mean(axis=0)).max() < NOISE_JY


def test_noise_near_blank_pixels_is_that_of_the_quietest_tile_or_more() -> None:
    pixels = sky([], size=300)
    quiet = cleared(pixels).noise.min()
    pixels[100:180, 100:180] = np.nan
    made = cleared(pixels)
    assert made.noise.min() >= quiet
    assert not made.field.usable[90:170, 90:170].any()


def test_the_field_is_the_box_of_what_margin_and_radius_leave() -> None:
    made = cleared(sky([], size=200), margin=10, extraction_radius_pix=60)
    assert (made.field.x0, made.field.y0) == (40, 40)
    assert made.signal.shape == (120, 120)
    assert not made.field.usable[0, 0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_maps_have_the_precision_of_the_image(dtype: type) -> None:
    made = cleared(sky([]).astype(dtype))
    assert made.signal.dtype == made.noise.dtype == dtype


def test_an_image_without_pixels_inside_the_margin_is_refused() -> None:
    pixels = image(sky([], size=19)).pixels
    with pytest.raises(ImageError, match="19 x 19 pixels, of which margin = 10"):
        search_field(pixels, parameters().source_extraction)


def test_an_image_smaller_than_a_tile_is_measured() -> None:
    made = cleared(sky([], size=30), margin=0)
    assert made.noise.shape == (30, 30)
    assert np.ptp(made.noise) == 0
