from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits

from tests.made import NX, NY, fits_file, noise, with_cards
from trap_hpc.errors import ImageError
from trap_hpc.pipeline.images import read, scan
from trap_hpc.pipeline.records import Header, Refusal

NOON_US = 1393675200_000000
"""2014-03-01T12:00:00."""
CHANNELS: dict[str, Any] = {"CTYPE3": "FREQ", "CRVAL3": 1e8, "CDELT3": 1e6}


def test_channels_are_images_of_their_own_band(tmp_path: Path) -> None:
    pixels = noise(3, NY, NX)
    path = with_cards(
        tmp_path, pixels, CTYPE3="FREQ", CRVAL3=1e8, CDELT3=2e6, CRPIX3=2.0
    )

    entries = scan(path)

    assert [entry.address for entry in entries] == [f"{path}[{n}]" for n in range(3)]
    bands = [(e.freq_eff_hz, e.freq_bw_hz) for e in entries if isinstance(e, Header)]
    assert bands == [(98e6, 2e6), (100e6, 2e6), (102e6, 2e6)]
    for n, entry in enumerate(entries):
        image = read(entry.address)
        assert image.header == entry
        assert np.array_equal(image.pixels, pixels[n])


def test_polarisations_other_than_i_are_left_out_and_said(tmp_path: Path) -> None:
    pixels = noise(4, 1, NY, NX)

    entries = scan(
        with_cards(tmp_path, pixels, CTYPE4="STOKES", CRVAL4=1.0, CDELT4=1.0)
    )

    assert isinstance(entries[0], Header)
    refused = [entry for entry in entries[1:] if isinstance(entry, Refusal)]
    assert [entry.kind for entry in refused] == ["left out"] * 3
    assert "Stokes Q" in refused[0].reason


def test_reading_a_polarisation_that_is_left_out_is_an_error(tmp_path: Path) -> None:
    path = with_cards(tmp_path, noise(2, NY, NX), CTYPE3="STOKES", CRVAL3=1, CDELT3=1)

    with pytest.raises(ImageError, match="Stokes Q is not used"):
        read(f"{path}[1]")


def test_channels_and_polarisations_count_in_the_order_of_the_file(
    tmp_path: Path,
) -> None:
    pixels = noise(2, 3, NY, NX)  # FREQ slowest
    axes: Any = {"CTYPE3": "STOKES", "CRVAL3": 1.0, "CTYPE4": "FREQ", "CRVAL4": 1e8}

    path = with_cards(tmp_path, pixels, CDELT4=1e6, **axes)

    image = read(f"{path}[3]")
    assert image.header.freq_eff_hz == 101e6
    assert np.array_equal(image.pixels, pixels[1, 0])


@pytest.mark.parametrize(
    ("axis", "first_us"),
    [
        ({"CRVAL3": 0.0, "CUNIT3": "s"}, NOON_US + 250_000),
        ({"CRVAL3": 60.0}, NOON_US + 60_250_000),
        ({"CRVAL3": 56717.5, "CUNIT3": "d", "CDELT3": 10 / 86400}, NOON_US),
        ({"CRVAL3": 0.0, "MJDREF": 56717.5}, NOON_US),
    ],
)
def test_a_time_axis_makes_time_steps(
    tmp_path: Path, axis: dict[str, Any], first_us: int
) -> None:
    cards: dict[str, Any] = {"CTYPE3": "TIME", "CDELT3": 10.0} | axis

    entries = scan(with_cards(tmp_path, noise(2, NY, NX), "", **cards))

    starts = [entry.taustart_us for entry in entries if isinstance(entry, Header)]
    assert starts == pytest.approx([first_us, first_us + 10_000_000], abs=1)
    assert isinstance(entries[0], Header)
    assert entries[0].tau_time_s == pytest.approx(10)


def test_one_plane_of_a_large_cube_is_read_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = with_cards(tmp_path, noise(50, NY, NX), "", **CHANNELS)
    taken: list[int] = []
    original = np.frombuffer

    def watched(data: bytes, dtype: str) -> Any:
        taken.append(len(data))
        return original(data, dtype)

    monkeypatch.setattr(np, "frombuffer", watched)

    image = read(f"{path}[49]")

    assert taken == [image.pixels.nbytes]


def test_the_image_may_be_tile_compressed(tmp_path: Path) -> None:
    path = str(tmp_path / "a.fits.fz")
    plain = with_cards(
        tmp_path, noise(2, NY, NX), CTYPE3="FREQ", CRVAL3=1e8, CDELT3=1e6
    )
    image = fits.CompImageHDU(
        noise(2, NY, NX),
        fits.getheader(plain),
        compression_type="GZIP_2",
        quantize_level=0,
    )
    fits.HDUList([fits.PrimaryHDU(), image]).writeto(path)

    assert [entry.address for entry in scan(path)] == [f"{path}[0]", f"{path}[1]"]
    assert read(f"{path}[1]").content == read(f"{plain}[1]").content


def test_a_file_whose_name_looks_like_a_plane_is_itself(tmp_path: Path) -> None:
    path = fits_file(tmp_path / "a.fits[1]")

    assert read(path).header.address == path


@pytest.mark.parametrize(
    ("axis", "words"),
    [
        ({"CRVAL3": 1e15}, "1e\\+15 s on its time axis is not a time"),
        ({"CRVAL3": 1e308, "CUNIT3": "d"}, "values on axis 3"),
        ({"MJDREF": -1e9}, "is not a time"),
    ],
)
def test_times_that_are_none_are_named(
    tmp_path: Path, axis: dict[str, Any], words: str
) -> None:
    cards: dict[str, Any] = {"CTYPE3": "TIME", "CDELT3": 10.0} | axis
    path = with_cards(tmp_path, noise(2, NY, NX), "", **cards)

    with pytest.raises(ImageError, match=words):
        read(f"{path}[0]")
