from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from tests.made import header_of, with_cards
from trap_hpc.pipeline.images import read

X, Y = np.array([0.0, 3.5, 15.0]), np.array([0.0, 11.0, 4.25])


@pytest.mark.parametrize(
    "cards",
    [
        {},
        {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN"},
        {"CTYPE1": "RA---ARC", "CTYPE2": "DEC--ARC"},
        {"CTYPE1": "RA---CAR", "CTYPE2": "DEC--CAR"},
        {"CTYPE1": "RA---NCP", "CTYPE2": "DEC--NCP"},
        {"CTYPE1": "RA---ZEA", "CTYPE2": "DEC--ZEA", "LONPOLE": 170.0},
        {"CROTA2": 30.0},
        {"PC1_1": 0.8, "PC1_2": -0.6, "PC2_1": 0.6, "PC2_2": 0.8},
        {"PC001001": 0.8, "PC001002": -0.6, "PC002001": 0.6, "PC002002": 0.8},
        {"PV2_1": 0.01, "PV2_2": -0.02},
        {"CRVAL1": 359.99},
        {"CRVAL1": -3.0},
    ],
)
@pytest.mark.filterwarnings("ignore::astropy.wcs.FITSFixedWarning")
def test_positions_are_those_of_astropy(tmp_path: Path, cards: dict[str, Any]) -> None:
    path = with_cards(tmp_path, None, "", **cards)
    expected = WCS(fits.getheader(path)).celestial.wcs_pix2world(X, Y, 0)

    ra, decl = read(path).sky.to_sky(X, Y)

    assert np.allclose(ra, expected[0] % 360, rtol=0, atol=1e-11)
    assert np.allclose(decl, expected[1], rtol=0, atol=1e-11)


def test_pixels_come_back(tmp_path: Path) -> None:
    sky = read(with_cards(tmp_path, CRVAL1=359.99)).sky

    x, y = sky.to_pixel(*sky.to_sky(X, Y))

    assert np.allclose([x, y], [X, Y], rtol=0, atol=1e-9)


def test_right_ascension_lies_between_0_and_360(tmp_path: Path) -> None:
    ra, _ = read(with_cards(tmp_path, CRVAL1=-0.01)).sky.to_sky(X, Y)

    assert (ra >= 0).all()
    assert (ra < 360).all()


def test_what_is_not_on_the_sky_is_not_a_number(tmp_path: Path) -> None:
    sky = read(with_cards(tmp_path)).sky

    assert np.isnan(sky.to_sky(1e6, 1e6)).all()
    assert np.isnan(sky.to_pixel(303.4, -52.9)).all()


def test_shapes_are_kept(tmp_path: Path) -> None:
    sky = read(with_cards(tmp_path)).sky

    assert sky.to_sky(np.zeros((2, 3)), np.zeros((2, 3)))[0].shape == (2, 3)
    assert sky.to_sky(1.0, 2.0)[0].shape == ()
    assert sky.to_sky(np.empty(0), np.empty(0))[0].shape == (0,)


def test_images_of_the_pole_are_not_turned(tmp_path: Path) -> None:
    at = read(with_cards(tmp_path, CRVAL2=90.0)).sky.to_sky(X, Y)
    near = read(with_cards(tmp_path, CRVAL2=90.0 - 1e-9)).sky.to_sky(X, Y)

    assert np.allclose(at, near, rtol=0, atol=1e-5)


def test_a_rotation_does_not_change_the_size_of_pixels(tmp_path: Path) -> None:
    header = header_of(with_cards(tmp_path, CROTA2=30.0))

    assert header.deltax_deg == pytest.approx(-0.005, rel=1e-14)
