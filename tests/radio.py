"""Synthetic radio images: Gaussian sources in beam-smoothed noise."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from trap_hpc.config.parameters import JobParameters, SourceExtraction
from trap_hpc.pipeline.finder.gaussians import Beam, quadratic_form
from trap_hpc.pipeline.images import Image, LofarHeader, Projection
from trap_hpc.pipeline.records import REQUEST, Floats, Header, Rows

PIXEL_DEG = 1 / 180
BEAM = Beam(semimajor=3.0, semiminor=2.5, theta=math.radians(30))
NOISE_JY = 0.01

Source = tuple[float, float, float]
"""x, y, peak."""


def gaussian(
    shape: tuple[int, ...], x: float, y: float, peak: float, beam: Beam = BEAM
) -> Floats:
    a, b, c = quadratic_form(beam.semimajor, beam.semiminor, beam.theta)
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    dx, dy = columns - x, rows - y
    brightness: Floats = peak * np.exp(-(a * dx**2 + 2 * b * dx * dy + c * dy**2))
    return brightness


def beam_noise(shape: tuple[int, int], seed: int, beam: Beam = BEAM) -> Floats:
    """Noise of NOISE_JY whose correlation is that of a beam-smoothed image."""
    white = np.fft.fft2(np.random.default_rng(seed).normal(size=shape))
    # White noise smoothed by a kernel is correlated over sqrt(2) times its width.
    kernel = gaussian(shape, shape[1] // 2, shape[0] // 2, 1.0, beam)
    smooth = np.fft.ifft2(white * np.fft.fft2(np.fft.ifftshift(kernel))).real
    noise: Floats = smooth * (NOISE_JY / smooth.std())
    return noise


def sky(
    sources: Iterable[Source], *, size: int = 200, seed: int = 0, beam: Beam = BEAM
) -> npt.NDArray[np.float32]:
    pixels = beam_noise((size, size), seed, beam)
    for x, y, peak in sources:
        left, low = max(0, int(x) - 25), max(0, int(y) - 25)
        around = pixels[low : low + 51, left : left + 51]
        around += gaussian(np.shape(around), x - left, y - low, peak, beam)
    return pixels.astype(np.float32)


def image(
    pixels: npt.NDArray[Any],
    *,
    beam: Beam = BEAM,
    centre: tuple[float, float] = (123.4, 52.9),
    lofar: LofarHeader | None = None,
    **header: Any,
) -> Image:
    """Wrap ``pixels`` [y, x] in what the pipeline needs to know of them."""
    ny, nx = pixels.shape
    facts: dict[str, Any] = {
        "address": "made.fits",
        "taustart_us": 1_400_000_000_000_000,
        "tau_time_s": 600.0,
        "freq_eff_hz": 150e6,
        "freq_bw_hz": 1.9e6,
        "rb_smaj_deg": beam.semimajor * PIXEL_DEG,
        "rb_smin_deg": beam.semiminor * PIXEL_DEG,
        "rb_pa_deg": math.degrees(beam.theta),
        "deltax_deg": -PIXEL_DEG,
        "deltay_deg": PIXEL_DEG,
        "centre_ra_deg": centre[0],
        "centre_decl_deg": centre[1],
    }
    projection = Projection(
        ctype=("RA---SIN", "DEC--SIN"),
        crval=centre,
        crpix=(nx / 2 + 1, ny / 2 + 1),
        cdelt=(-PIXEL_DEG, PIXEL_DEG),
    )
    return Image(
        header=Header(nx=nx, ny=ny, **facts | header),
        pixels=pixels,
        sky=projection,
        lofar=lofar,
        content="made",
    )


def parameters(**changes: Any) -> JobParameters:
    """TraP's defaults but for some of ``[source_extraction]``."""
    return JobParameters(source_extraction=SourceExtraction(**changes))


def requests_at(made: Image, x: Any, y: Any) -> Rows:
    """Requests for forced fits at pixels of an image."""
    ra, decl = made.sky.to_sky(np.atleast_1d(x).astype(float), np.atleast_1d(y))
    requests = np.zeros(ra.size, REQUEST)
    requests["ra"], requests["decl"] = ra, decl
    return requests


def grid(size: int, step: int, *, seed: int = 0) -> list[tuple[float, float]]:
    """Positions about ``step`` pixels apart, anywhere within their pixels."""
    random = np.random.default_rng(seed)
    nodes = np.arange(step, size - step // 2, step)
    return [
        (x + float(random.uniform()), y + float(random.uniform()))
        for x in nodes
        for y in nodes
    ]
