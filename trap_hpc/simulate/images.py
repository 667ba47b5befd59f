"""Simulated images: noise like that of a radio image, sources, headers."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.fft

from trap_hpc.errors import StorageError, UsageError
from trap_hpc.pipeline.images import write_fits
from trap_hpc.pipeline.records import Floats
from trap_hpc.simulate.sky import (
    BAND_STEP_HZ,
    BANDWIDTH_HZ,
    BMAJ_DEG,
    BMIN_DEG,
    BPA_DEG,
    FIRST_BAND_HZ,
    FWHM_PIX,
    NOISE_JY,
    PIXEL_DEG,
    RADIUS,
    SCHEMA_VERSION,
    START,
    TrueSource,
    Truth,
    make_sources,
    projection,
)

Plane = npt.NDArray[np.float32]
Progress = Callable[[int, int], None]
"""Called with the number of images written and of all."""


def simulate(
    out: Path,
    *,
    images: int,
    size: int = 512,
    sources: int = 60,
    transients: int = 2,
    variables: int = 3,
    bands: int = 1,
    seed: int = 0,
    cadence_s: float = 600.0,
    progress: Progress | None = None,
) -> Truth:
    """Write FITS files and ``truth.json`` to ``out``, a new or empty folder.

    The time steps are ``images / bands``. ``sources`` counts the constant ones.
    Transients are off at first, then on for some steps, far above the noise. The noise
    is that of an image: white noise convolved with the beam. Raises UsageError for
    numbers that don't go together, StorageError if ``out`` can't be written.
    """
    _check(images, size, bands, cadence_s, min(sources, transients, variables))
    rng = np.random.default_rng(seed)
    kinds = ["constant"] * sources + ["variable"] * variables
    kinds += ["transient"] * transients
    freq_hz = [FIRST_BAND_HZ + band * BAND_STEP_HZ for band in range(bands)]
    steps = images // bands
    truth = Truth(
        schema_version=SCHEMA_VERSION,
        seed=seed,
        size=size,
        noise_jy=NOISE_JY,
        beam_deg=(BMAJ_DEG, BMIN_DEG, BPA_DEG),
        pixel_deg=PIXEL_DEG,
        search_radius_pix=RADIUS * size,
        cadence_s=cadence_s,
        freq_hz=freq_hz,
        files=[f"sim_t{t:06d}_b{b}.fits" for t in range(steps) for b in range(bands)],
        sources=make_sources(rng, kinds, size, steps, np.array(freq_hz)),
    )
    try:
        _write(out, truth, progress)
    except OSError as error:
        raise StorageError(f"the images can't be written to {out}: {error}") from error
    return truth


def _check(images: int, size: int, bands: int, cadence_s: float, least: int) -> None:
    if images < 1 or bands < 1 or images % bands:
        raise UsageError(
            f"{images} images can't be shared out among {bands} bands: the number of "
            "images must be a multiple of the number of bands, and positive"
        )
    if size < 64 or not cadence_s > 0 or least < 0:
        raise UsageError(
            "images are at least 64 pixels wide, the cadence is positive, and numbers "
            "of sources are not negative"
        )


def _write(out: Path, truth: Truth, progress: Progress | None) -> None:
    out.mkdir(parents=True, exist_ok=True)
    if any(out.iterdir()):
        raise UsageError(f"{out} is not empty: name a new folder")
    text = json.dumps(asdict(truth), indent=1)
    (out / "truth.json").write_text(text, encoding="utf-8")
    for done, (name, pixels, cards) in enumerate(_images(truth), start=1):
        write_fits(out / name, pixels[np.newaxis, np.newaxis], cards)
        if progress:
            progress(done, len(truth.files))


def _images(truth: Truth) -> Iterator[tuple[str, Plane, dict[str, Any]]]:
    """Yield file by file; each image's noise depends on nothing but seed and number."""
    bands = len(truth.freq_hz)
    response = _noise_response(truth.size)
    steady = [s for s in truth.sources if s.kind == "constant"]
    changing = [s for s in truth.sources if s.kind != "constant"]
    backdrop = [_rendered(truth.size, steady, band, 0) for band in range(bands)]
    for n, name in enumerate(truth.files):
        step, band = divmod(n, bands)
        pixels = _noise(np.random.default_rng([truth.seed, n]), response)
        pixels += backdrop[band] + _rendered(truth.size, changing, band, step)
        yield name, pixels, _cards(truth, step, band)


def _beam(dx: Floats, dy: Floats) -> Floats:
    """Gaussian of peak 1; north is up, east is left."""
    angle = math.radians(BPA_DEG)
    along = dy * math.cos(angle) - dx * math.sin(angle)
    across = dx * math.cos(angle) + dy * math.sin(angle)
    squares = (along * PIXEL_DEG / BMAJ_DEG) ** 2 + (across * PIXEL_DEG / BMIN_DEG) ** 2
    result: Floats = np.exp(-4 * math.log(2) * squares)
    return result


def _rendered(size: int, sources: list[TrueSource], band: int, step: int) -> Plane:
    pixels = np.zeros((size, size), np.float32)
    half = math.ceil(3 * FWHM_PIX)
    for source in sources:
        flux = source.flux_jy[band][step]
        left, low = max(0, int(source.x) - half), max(0, int(source.y) - half)
        box = pixels[low : int(source.y) + half + 1, left : int(source.x) + half + 1]
        y, x = np.indices(box.shape, float)
        box += flux * _beam(left + x - source.x, low + y - source.y)
    return pixels


def _noise_response(size: int) -> npt.NDArray[np.complex64]:
    """Transform of the beam, such that white noise of 1 comes out as noise of 1."""
    offsets = np.fft.fftfreq(size, 1 / size)
    kernel = _beam(*np.meshgrid(offsets, offsets))
    kernel /= math.sqrt((kernel**2).sum())
    return scipy.fft.rfft2(kernel).astype(np.complex64)


def _noise(rng: np.random.Generator, response: npt.NDArray[np.complex64]) -> Plane:
    size = response.shape[0]
    white = rng.standard_normal((size, size), np.float32)
    noise: Plane = scipy.fft.irfft2(scipy.fft.rfft2(white) * response, s=(size, size))
    return noise * np.float32(NOISE_JY)


def _cards(truth: Truth, step: int, band: int) -> dict[str, Any]:
    sky = projection(truth.size)
    cards: dict[str, Any] = {"BUNIT": "JY/BEAM", "TELESCOP": "SIMULATED"}
    cards |= {"EQUINOX": 2000.0, "RADESYS": "FK5"}
    for axis in (0, 1):
        cards |= {
            f"CTYPE{axis + 1}": sky.ctype[axis],
            f"CRPIX{axis + 1}": sky.crpix[axis],
            f"CRVAL{axis + 1}": sky.crval[axis],
            f"CDELT{axis + 1}": sky.cdelt[axis],
            f"CUNIT{axis + 1}": "deg",
        }
    frequency = truth.freq_hz[band]
    cards |= {"CTYPE3": "FREQ", "CRPIX3": 1.0, "CRVAL3": frequency, "CUNIT3": "Hz"}
    cards |= {"CDELT3": BANDWIDTH_HZ, "RESTFRQ": frequency, "RESTBW": BANDWIDTH_HZ}
    cards |= {"CTYPE4": "STOKES", "CRPIX4": 1.0, "CRVAL4": 1.0, "CDELT4": 1.0}
    cards |= {"BMAJ": BMAJ_DEG, "BMIN": BMIN_DEG, "BPA": BPA_DEG}
    start = START + timedelta(seconds=step * truth.cadence_s)
    end = start + timedelta(seconds=truth.cadence_s)
    cards |= {"DATE-OBS": start.isoformat(timespec="microseconds")}
    cards |= {"END_UTC": end.isoformat(timespec="microseconds"), "TIMESYS": "UTC"}
    return cards
