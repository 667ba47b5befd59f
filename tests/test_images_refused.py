"""Bad files are refused with a sentence; nothing else ever comes out of them."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits

from tests.made import CARDS, NX, NY, fits_file, noise, with_cards
from trap_hpc.errors import ImageError
from trap_hpc.pipeline.images import read, scan
from trap_hpc.pipeline.records import Refusal


def reason_of(path: str) -> str:
    """Why a file is refused: scan and read must agree."""
    (entry,) = scan(path)
    assert isinstance(entry, Refusal), entry
    assert (entry.address, entry.kind) == (path, "unreadable")
    with pytest.raises(ImageError) as caught:
        read(path)
    assert str(caught.value) == entry.reason
    return entry.reason


@pytest.mark.parametrize(
    ("drop", "words"),
    [
        ("BMAJ", "restoring beam is not known: BMAJ missing"),
        ("BMAJ BMIN BPA", "BMAJ, BMIN, BPA missing"),
        ("DATE-OBS", "DATE-OBS is missing"),
        ("RESTFRQ", "frequency is not known"),
        ("CRVAL1", "no celestial coordinates: CRVAL1 is missing"),
        ("CDELT2", "no celestial coordinates: CDELT2 is missing"),
        ("CTYPE1 CTYPE2", "must be right ascension and declination"),
        ("CUNIT2", "units of its coordinates"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, drop: str, words: str) -> None:
    assert words in reason_of(with_cards(tmp_path, drop=drop))


@pytest.mark.parametrize(
    ("cards", "words"),
    [
        ({"CDELT2": 0.0051}, "pixels are not square (0.005 x 0.0051 degrees)"),
        ({"CDELT1": 0.0}, "zero"),
        ({"CDELT1": -500.0, "CDELT2": 500.0}, "makes no sense"),
        ({"PC1_1": 1.0, "PC1_2": 1.0, "PC2_1": 0.0, "PC2_2": 1.0}, "not square"),
        ({"PC1_1": 0.0, "PC1_2": 0.0, "PC2_1": 0.0, "PC2_2": 0.0}, "makes no sense"),
        ({"CRVAL2": 91.0}, "not a position on the sky"),
        ({"CRPIX1": 1e9}, "does not lie on the sky"),
        ({"CTYPE1": "GLON-CAR", "CTYPE2": "GLAT-CAR"}, "GLON-CAR"),
        ({"CTYPE1": "RA---XXX", "CTYPE2": "DEC--XXX"}, "no sense to wcslib"),
        ({"CTYPE1": "RA---TAN"}, "no sense to wcslib"),
        ({"CUNIT1": "pc", "CUNIT2": "pc"}, "'pc'"),
        ({"BMAJ": 0.0}, "beam of 0 x"),
        ({"BMIN": -0.1}, "makes no sense"),
        ({"BMAJ": "wide"}, "BMAJ in its header is not a number: 'wide'"),
        ({"BPA": True}, "BPA in its header is not a number"),
        ({"RESTFRQ": -5.0}, "frequency is not known"),
        ({"RESTFRQ": 1e40}, "makes no sense"),
        ({"DATE_OBS": "yesterday"}, "not a date that is understood: 'yesterday'"),
        ({"DATE_OBS": "2014-02-30T00:00:00"}, "not a date"),
        ({"DATE_OBS": 2014}, "not a date"),
        ({"END_UTC": "2013-03-01T12:00:00"}, "lies before DATE-OBS"),
        ({"TIMESYS": "MARTIAN"}, "'MARTIAN', is neither a time scale"),
        ({"TIMESYS": "../../etc/passwd"}, "neither a time scale"),
        ({"TELESCOP": "LOFAR", "ANTENNA": "HBA"}, "NCORE is missing"),
    ],
)
def test_what_makes_no_sense_is_named(
    tmp_path: Path, cards: dict[str, Any], words: str
) -> None:
    assert words in reason_of(with_cards(tmp_path, None, "", **cards))


@pytest.mark.parametrize("value", ["NaN", "inf", "1e999", "0x10", "12 13"])
def test_numbers_that_are_none_are_named(tmp_path: Path, value: str) -> None:
    path = with_cards(tmp_path)
    content = Path(path).read_bytes()
    start = content.index(b"BMAJ    =")
    card = f"BMAJ    = {value:>20}".ljust(80).encode()
    Path(path).write_bytes(content[:start] + card + content[start + 80 :])

    assert "BMAJ" in reason_of(path)


def test_an_axis_that_is_not_understood_is_named(tmp_path: Path) -> None:
    path = with_cards(tmp_path, noise(5, NY, NX), CTYPE3="VOPT")

    assert "axis 3 (VOPT, 5 planes) is not understood" in reason_of(path)


def test_an_unknown_unit_of_a_channel_axis_is_named(tmp_path: Path) -> None:
    path = with_cards(tmp_path, noise(5, NY, NX), CTYPE3="FREQ", CUNIT3="m/s")

    assert "CUNIT3 = 'm/s'" in reason_of(path)


def test_planes_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="there is no plane 7: it has 1, from 0"):
        read(f"{with_cards(tmp_path)}[7]")


def test_a_truncated_file_says_how_much_is_missing(tmp_path: Path) -> None:
    path = with_cards(tmp_path)
    size = os.path.getsize(path)
    os.truncate(path, size - 2880 + 100)

    assert reason_of(path) == (
        f"it is cut short: its header promises {NX * NY * 4} bytes of pixels, the "
        "file has 100: copy it again"
    )


def test_a_file_that_ends_in_its_header_is_cut_short(tmp_path: Path) -> None:
    path = with_cards(tmp_path)
    os.truncate(path, 800)

    assert "its header has no END" in reason_of(path)


def test_an_image_larger_than_its_file_takes_no_memory(tmp_path: Path) -> None:
    path = with_cards(tmp_path)
    content = Path(path).read_bytes()
    for name, old in (("NAXIS1", NX), ("NAXIS2", NY)):
        card = f"{name:8}= {old:20}".encode()
        content = content.replace(card, f"{name:8}= {10**9:20}".encode())
    Path(path).write_bytes(content)

    assert "promises 4000000000000000000 bytes" in reason_of(path)


def test_a_small_gzip_file_can_not_promise_a_huge_image(tmp_path: Path) -> None:
    path = str(tmp_path / "a.fits.gz")
    plain = Path(with_cards(tmp_path)).read_bytes()
    huge = plain.replace(
        f"NAXIS1  = {NX:20}".encode(), f"NAXIS1  = {10**9:20}".encode()
    )
    Path(path).write_bytes(gzip.compress(huge))

    assert "promises" in reason_of(path)


def test_damaged_gzip_data_are_named(tmp_path: Path) -> None:
    path = str(tmp_path / "a.fits.gz")
    packed = gzip.compress(Path(with_cards(tmp_path)).read_bytes())
    Path(path).write_bytes(packed[:-200])

    with pytest.raises(ImageError, match="cut short or damaged: copy it again"):
        read(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"hello, I am a text", "it starts with 'hello, I am a text'"),
        (b"\x89PNG\r\n\x1a\n" + bytes(9000), "it is no image that is understood"),
        (b"\x1f\x8bnonsense", "compressed data are cut short or damaged"),
        (b"SIMPLE  =                    T".ljust(80) * 99, "has no END"),
    ],
)
@pytest.mark.parametrize("name", ["a.fits", "a.png"])
def test_files_of_other_kinds_are_named(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    assert words in reason_of(str(path))


def test_an_image_under_another_extension_is_read(tmp_path: Path) -> None:
    path = fits_file(tmp_path / "image.dat")

    assert read(path).header.nx == NX


def test_fits_files_without_images_are_named(tmp_path: Path) -> None:
    path = str(tmp_path / "a.fits")
    table = fits.BinTableHDU.from_columns([fits.Column("a", "E", array=[1.0, 2.0])])
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(path)

    assert reason_of(path) == "it is a FITS file without an image in it"


def test_visibilities_are_no_image(tmp_path: Path) -> None:
    path = str(tmp_path / "uv.fits")
    data = fits.GroupData(np.zeros((3, 1, 2)), parnames=["u"], pardata=[np.zeros(3)])
    fits.GroupsHDU(data).writeto(path)

    assert "visibilities" in reason_of(path)


def test_one_axis_makes_no_image(tmp_path: Path) -> None:
    assert "its size is 9" in reason_of(with_cards(tmp_path, np.zeros(9, "f4")))


def test_a_file_that_vanished_is_named(tmp_path: Path) -> None:
    assert "does not exist (any more)" in reason_of(str(tmp_path / "gone.fits"))


def test_a_folder_is_no_image(tmp_path: Path) -> None:
    assert "folder, but not a CASA image" in reason_of(str(tmp_path))


def test_a_file_without_permission_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = with_cards(tmp_path)

    def refuse(*args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr("builtins.open", refuse)

    assert reason_of(path) == "no permission to read it"


def test_images_of_nothing_but_nan_can_be_read(tmp_path: Path) -> None:
    pixels = np.full((NY, NX), np.nan, "f4")

    assert np.isnan(read(with_cards(tmp_path, pixels)).pixels).all()


def test_required_cards_are_all_needed(tmp_path: Path) -> None:
    optional = {"RESTBW", "END_UTC", "TIMESYS", "TELESCOP", "CUNIT1", "CUNIT2"}
    for number, key in enumerate(sorted(CARDS.keys() - optional)):
        path = fits_file(tmp_path / f"{number}.fits", drop=key)
        assert isinstance(scan(path)[0], Refusal), key
