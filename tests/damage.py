"""Ways to spoil a good FITS image."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits

WCS = [f"{key}{axis}" for key in ("CTYPE", "CRVAL", "CRPIX", "CDELT") for axis in "12"]
FREQUENCY = ["RESTFRQ", "RESTFREQ", "CTYPE3", "CRVAL3"]

Damage = Callable[[Path], object]
"""Spoils a good image."""


def cut(size: int) -> Damage:
    return lambda path: path.write_bytes(path.read_bytes()[:size])


def text(path: Path) -> None:
    path.write_text("A letter, and no image at all.\n" * 100)


def without(*keys: str) -> Damage:
    def damage(path: Path) -> None:
        with fits.open(path, mode="update") as file:
            for key in keys:
                file[0].header.remove(key, ignore_missing=True)

    return damage


def oblong(path: Path) -> None:
    fits.setval(path, "CDELT2", value=0.02)


def pixels(change: Callable[[Any], Any]) -> Damage:
    def damage(path: Path) -> None:
        with fits.open(path, mode="update") as file:
            file[0].data[...] = change(file[0].data)

    return damage


def half_nan(values: Any) -> Any:
    values = values.copy()
    values[..., : values.shape[-2] // 2, :] = np.nan
    return values


def no_data(path: Path) -> None:
    fits.PrimaryHDU().writeto(path, overwrite=True)


UNREADABLE: dict[str, tuple[Damage, str]] = {
    "cut short": (cut(10_000), "copy it again"),
    "cut in its header": (cut(2880), "cut short"),
    "empty": (cut(0), "the file is empty"),
    "without data": (no_data, "without an image in it"),
    "text": (text, "no image that is understood"),
    "no beam": (without("BMAJ"), "BMAJ missing"),
    "no coordinates": (without(*WCS), "no celestial coordinates"),
    "no frequency": (without(*FREQUENCY), "its frequency is not known"),
    "no date": (without("DATE-OBS"), "does not say when it was taken"),
    "pixels not square": (oblong, "regrid the image to square pixels"),
}
"""By what is wrong: how to make it so, and words of the sentence that says so."""
