from __future__ import annotations

import gzip
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits

from tests.made import CARDS, NX, NY, header_of, noise, with_cards
from trap_hpc.pipeline.images import LofarHeader, read

NOON_US = 1393675200_000000
"""2014-03-01T12:00:00."""


def test_a_header_becomes_facts(tmp_path: Path) -> None:
    header = header_of(with_cards(tmp_path))

    assert header.taustart_us == NOON_US + 250_000
    assert (header.tau_time_s, header.freq_eff_hz, header.freq_bw_hz) == (
        600,
        15e7,
        2e6,
    )
    assert header.rb_smaj_deg == pytest.approx(0.015, rel=1e-14)
    assert header.rb_smin_deg == pytest.approx(0.010, rel=1e-14)
    assert header.rb_pa_deg == pytest.approx(30, rel=1e-14)
    assert (header.deltax_deg, header.deltay_deg) == (-0.005, 0.005)
    assert (header.centre_ra_deg, header.centre_decl_deg) == (123.4, 52.9)
    assert (header.nx, header.ny, header.telescope) == (NX, NY, "DISH")


def test_reading_gives_the_scanned_header_and_native_pixels(tmp_path: Path) -> None:
    path = with_cards(tmp_path)

    image = read(path)

    assert image.header == header_of(path)
    assert image.pixels.dtype == np.dtype("=f4")
    assert image.pixels.flags.c_contiguous
    assert np.array_equal(image.pixels, noise())
    assert image.lofar is None


def test_pixel_zero_of_the_array_is_pixel_one_of_the_header(tmp_path: Path) -> None:
    sky = read(with_cards(tmp_path)).sky

    ra, decl = sky.to_sky([8.0], [6.0])

    assert (ra[0], decl[0]) == (123.4, 52.9)


@pytest.mark.parametrize("dtype", ["u1", "i2", "i4", "i8", "f4", "f8"])
def test_pixels_are_those_that_astropy_reads(tmp_path: Path, dtype: str) -> None:
    path = with_cards(tmp_path, np.abs(noise()).astype(dtype), BUNIT="JY/BEAM")
    with fits.open(path, mode="update") as hdus:
        hdus[0].header["BSCALE"], hdus[0].header["BZERO"] = 0.5, 3.0

    assert np.array_equal(read(path).pixels, np.asarray(fits.getdata(path)))


def test_blank_integers_are_not_numbers(tmp_path: Path) -> None:
    pixels = noise(dtype="i2")
    pixels[2, 3] = -32768

    image = read(with_cards(tmp_path, pixels, BLANK=-32768))

    assert np.argwhere(np.isnan(image.pixels)).tolist() == [[2, 3]]


def test_degenerate_axes_are_dropped(tmp_path: Path) -> None:
    path = with_cards(tmp_path, noise(1, 1, NY, NX), CTYPE3="FREQ", CTYPE4="STOKES")

    assert read(path).pixels.shape == (NY, NX)
    assert header_of(path).address == path


def test_same_content_hashes_alike_whatever_the_file(tmp_path: Path) -> None:
    path = with_cards(tmp_path)
    packed = tmp_path / "other.fits.gz"
    with open(path, "rb") as plain, gzip.open(packed, "wb") as out:
        shutil.copyfileobj(plain, out)

    assert read(str(packed)).content == read(path).content


@pytest.mark.parametrize("key", ["BMAJ", "RESTFRQ", "CRVAL1", "BPA", "RESTBW"])
def test_other_facts_hash_otherwise(tmp_path: Path, key: str) -> None:
    before = read(with_cards(tmp_path)).content

    after = read(with_cards(tmp_path, None, "", **{key: CARDS[key] * 1.01})).content

    assert before != after


def test_other_pixels_hash_otherwise(tmp_path: Path) -> None:
    assert (
        read(with_cards(tmp_path, noise())).content
        != read(with_cards(tmp_path, noise() + 1)).content
    )


def test_the_word_end_in_a_comment_ends_nothing(tmp_path: Path) -> None:
    header = fits.Header(CARDS)
    header.insert(5, ("COMMENT", "THE END"))
    header.insert(6, ("", ""))
    fits.PrimaryHDU(noise(), header).writeto(tmp_path / "end.fits")

    assert header_of(str(tmp_path / "end.fits")).nx == NX


def test_the_image_may_be_in_an_extension(tmp_path: Path) -> None:
    path = with_cards(tmp_path)
    table = fits.BinTableHDU.from_columns([fits.Column("a", "E", array=[1.0, 2.0])])
    image = fits.ImageHDU(noise(), fits.Header(CARDS))
    fits.HDUList([fits.PrimaryHDU(), table, image]).writeto(tmp_path / "ext.fits")

    assert read(str(tmp_path / "ext.fits")).content == read(path).content


@pytest.mark.parametrize(
    ("drop", "cards", "expected"),
    [
        ("RESTBW", {}, (150e6, 1e6)),
        ("RESTFRQ", {"CTYPE3": "FREQ", "CRVAL3": 2e8, "CDELT3": -3e6}, (2e8, 3e6)),
        ("RESTFRQ", {"CTYPE4": "FREQ", "CRVAL4": 2e8, "CDELT4": 3e6}, (2e8, 3e6)),
        (
            "RESTFRQ",
            {"CTYPE3": "FREQ-LSR", "CRVAL3": 1.4, "CDELT3": 0.1, "CUNIT3": "GHz"},
            (1.4e9, 1e8),
        ),
        ("RESTFRQ", {"RESTFREQ": 1.6e8}, (1.6e8, 1e6)),
        ("", {"RESTFRQ": 0.0, "RESTFREQ": 1.6e8}, (1.6e8, 1e6)),
        ("", {"CTYPE3": "VOPT", "CRVAL3": -3.0, "CDELT3": 4.0}, (150e6, 2e6)),
    ],
)
def test_frequency_is_found_in_traps_order(
    tmp_path: Path, drop: str, cards: dict[str, Any], expected: tuple[float, float]
) -> None:
    header = header_of(with_cards(tmp_path, noise(1, 1, NY, NX), drop, **cards))

    assert (header.freq_eff_hz, header.freq_bw_hz) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        ("2014-03-01T12:00:00", NOON_US),
        ("2014-03-01 12:00", NOON_US),
        ("2014-03-01T12:00:00.1234567", NOON_US + 123456),
        ("2014-03-01T12:00:00Z", NOON_US),
        ("2014-03-01T14:00:00+02:00", NOON_US),
        ("2014-02-28T23:59:60", NOON_US - 43200_000000),
        ("2014-03-01", NOON_US - 43200_000000),
        ("01/03/14", NOON_US - 43200_000000),
        ("31/12/99", 946598400_000000),
        ('"2014-03-01T12:00:00";"2014-03-01T13:00:00"', NOON_US),
        (2014.0, 1388534400_000000),
    ],
)
def test_dates_of_all_ages_are_understood(
    tmp_path: Path, text: Any, microseconds: int
) -> None:
    path = with_cards(tmp_path, None, "END_UTC", DATE_OBS=text)

    assert header_of(path).taustart_us == microseconds


def test_a_year_with_decimals_is_a_date(tmp_path: Path) -> None:
    header = header_of(with_cards(tmp_path, None, "END_UTC", DATE_OBS=2014.5))

    assert header.taustart_us == 1388534400_000000 + round(182.6210995 * 86400e6)


@pytest.mark.parametrize(
    ("system", "seconds"),
    [("GMT", 0), ("TAI", -35), ("TT", -67.184), ("Europe/Amsterdam", -3600)],
)
def test_times_are_brought_to_utc(tmp_path: Path, system: str, seconds: float) -> None:
    header = header_of(with_cards(tmp_path, TIMESYS=system))

    assert header.taustart_us == NOON_US + 250_000 + round(seconds * 1e6)
    assert header.tau_time_s == 600


def test_without_an_end_the_duration_is_zero(tmp_path: Path) -> None:
    assert header_of(with_cards(tmp_path, drop="END_UTC")).tau_time_s == 0


def test_the_beam_may_be_in_the_history_of_aips(tmp_path: Path) -> None:
    history = "AIPS   CLEAN BMAJ=  3.0000E-02 BMIN=  2.0000E-02 BPA=  30.00"

    header = header_of(with_cards(tmp_path, None, "BMAJ BMIN BPA", HISTORY=history))

    assert header.rb_smaj_deg == pytest.approx(0.015)
    assert header.rb_pa_deg == pytest.approx(30)


def test_coordinates_may_be_in_radians(tmp_path: Path) -> None:
    names = ["CRVAL1", "CRVAL2", "CDELT1", "CDELT2"]
    radians: Any = {name: np.radians(CARDS[name]) for name in names}

    header = header_of(with_cards(tmp_path, CUNIT1="rad", CUNIT2="rad", **radians))

    assert header.centre_decl_deg == pytest.approx(52.9, rel=1e-14)
    assert header.deltax_deg == pytest.approx(-0.005, rel=1e-14)


def test_a_cd_matrix_does_instead_of_cdelt(tmp_path: Path) -> None:
    plain = read(with_cards(tmp_path))
    matrix = {"CD1_1": -0.005, "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": 0.005}

    image = read(with_cards(tmp_path, None, "CDELT1 CDELT2", **matrix))

    assert image.header.deltax_deg == -0.005
    assert image.content == plain.content


def test_lofar_cards_are_kept_for_its_checks(tmp_path: Path) -> None:
    stations: Any = {"ANTENNA": "HBA", "NCORE": 48, "NREMOTE": 14, "NINTL": 9}
    subbands: Any = {"SUBBANDS": 10, "SUBBANDW": 195312.5, "TAU_TIME": 58.0}

    image = read(with_cards(tmp_path, TELESCOP="LOFAR", **stations, **subbands))

    assert image.header.tau_time_s == 58
    assert image.lofar == LofarHeader(
        antenna_set="HBA",
        ncore=48,
        nremote=14,
        nintl=9,
        subbands=10,
        subbandwidth_hz=195312.5,
    )
