"""Small FITS files, made on the fly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from trap_hpc.pipeline.images import scan, write_fits
from trap_hpc.pipeline.records import Header

CARDS: dict[str, Any] = {
    "CTYPE1": "RA---SIN",
    "CRPIX1": 9.0,
    "CRVAL1": 123.4,
    "CDELT1": -0.005,
    "CUNIT1": "deg",
    "CTYPE2": "DEC--SIN",
    "CRPIX2": 7.0,
    "CRVAL2": 52.9,
    "CDELT2": 0.005,
    "CUNIT2": "deg",
    "RESTFRQ": 150e6,
    "RESTBW": 2e6,
    "BMAJ": 0.03,
    "BMIN": 0.02,
    "BPA": 30.0,
    "DATE-OBS": "2014-03-01T12:00:00.25",
    "END_UTC": "2014-03-01T12:10:00.25",
    "TIMESYS": "UTC",
    "TELESCOP": "DISH",
}
NX, NY = 16, 12


def noise(*shape: int, dtype: str = "f4") -> Any:
    """Pixels [..., y, x] that are not all alike."""
    values = np.random.default_rng(1).normal(size=shape or (NY, NX))
    return (values * 100).astype(dtype)


def fits_file(
    path: Path, pixels: Any = None, *, drop: str = "", cards: dict[str, Any] = CARDS
) -> str:
    """Write a FITS file of CARDS without those named in ``drop``; return its path."""
    kept = {key: value for key, value in cards.items() if key not in drop.split()}
    write_fits(path, noise() if pixels is None else pixels, kept)
    return str(path)


def with_cards(folder: Path, pixels: Any = None, drop: str = "", **cards: Any) -> str:
    """Write ``a.fits`` of CARDS, without those dropped and with others on top."""
    named = {key.replace("_OBS", "-OBS"): value for key, value in cards.items()}
    return fits_file(folder / "a.fits", pixels, drop=drop, cards=CARDS | named)


def header_of(path: str) -> Header:
    """Return the header of a file of one plane."""
    (entry,) = scan(path)
    assert isinstance(entry, Header), entry
    return entry
