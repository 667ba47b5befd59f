"""A small sky that has everything: splits, fits that fail, images that are refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tests.samples import write_image

SIZE = 128
NOISE_JY = 0.01
BEAMS_PIX = (10.0, 3.0, 2.8)
"""Full widths at half maximum, in turn: close pairs blend and come apart again."""
BANDS_HZ = (150e6, 180e6)
PAIRS = [(30.0, 40.0), (38.0, 40.0), (90.0, 88.0), (97.0, 92.0)]
SINGLES = [(60.0, 25.0), (60.0, 100.0), (100.0, 30.0), (25.0, 90.0), (75.0, 60.0)]
MASKED = (slice(54, 68), slice(70, 86))
"""Pixels (y, x) about one of the singles that are blank in some images."""


def crowded_night(folder: Path, *, steps: int = 12, seed: int = 1) -> list[str]:
    """Write the images of a night and return their paths, in no useful order.

    Every third beam resolves pairs that the others blend, so that sources split. One
    source shines in the third and fourth time step only, one vanishes into blank
    pixels. One image is flat, one is another's copy, one is a text file.
    """
    random = np.random.default_rng(seed)
    paths = []
    for step in range(steps):
        for band, frequency in enumerate(BANDS_HZ):
            pixels = _night_sky(step, band, random)
            path = folder / f"t{step:02d}_b{band}.fits"
            write_image(path, pixels, **_cards(step, frequency))
            paths.append(path)
    _write_oddities(folder, steps)
    paths += [folder / name for name in ("flat.fits", "copy.fits", "text.fits")]
    return [str(paths[n]) for n in random.permutation(len(paths))]


def _beam_pix(step: int) -> float:
    return BEAMS_PIX[step % len(BEAMS_PIX)]


def _cards(step: int, frequency_hz: float) -> dict[str, object]:
    return {
        "RESTFRQ": frequency_hz,
        "BMAJ": _beam_pix(step) / 180,
        "BMIN": _beam_pix(step) / 180,
        "BPA": 0.0,
        "DATE-OBS": f"2014-03-01T12:{step:02d}:00.0",
        "END_UTC": f"2014-03-01T12:{step:02d}:50.0",
    }


def _night_sky(
    step: int, band: int, random: np.random.Generator
) -> npt.NDArray[np.float32]:
    y, x = np.mgrid[:SIZE, :SIZE]
    sky = random.normal(0, NOISE_JY, (SIZE, SIZE))
    sigma = _beam_pix(step) / 2.3548
    for n, (x0, y0) in enumerate(PAIRS + SINGLES):
        flux = (0.4 if n < len(PAIRS) else 0.2 * n) * (1 + 0.2 * band)
        if n == len(PAIRS):
            flux *= step in (2, 3)
        if n == len(PAIRS) + 4:
            flux *= step < 3
        sky += flux * np.exp(-((x - x0) ** 2 + (y - y0) ** 2) / (2 * sigma**2))
    if step % 4 != 0:
        sky[MASKED] = np.nan
    return sky.astype(np.float32)


def _write_oddities(folder: Path, steps: int) -> None:
    flat = np.full((SIZE, SIZE), 0.5, np.float32)
    write_image(folder / "flat.fits", flat, **_cards(5, 210e6))
    shutil.copy(folder / f"t{steps - 1:02d}_b0.fits", folder / "copy.fits")
    (folder / "text.fits").write_text("This is not an image.\n" * 50)
