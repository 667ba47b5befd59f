"""The quality checks that need only the image itself."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from trap_hpc.config.parameters import JobParameters, Persistence
from trap_hpc.errors import ImageError
from trap_hpc.pipeline.finder.field import Pixels
from trap_hpc.pipeline.finder.gaussians import beam_of
from trap_hpc.pipeline.lofar import bright_source_near, theoretical_noise
from trap_hpc.pipeline.records import Rejection

if TYPE_CHECKING:
    # The catalogue needs no more than REASONS; astropy would slow it down.
    from trap_hpc.pipeline.images import Image

RMS, BEAM, BRIGHT_SOURCE, TAU_TIME, NAN, FLAT = range(6)

REASONS = {
    RMS: "RMS invalid",
    BEAM: "beam invalid",
    BRIGHT_SOURCE: "bright source near",
    TAU_TIME: "tau_time invalid",
    NAN: "contains NaN",
    FLAT: "data is flat",
}
"""TraP's ``rejectreason``: what a `Rejection` names by its number."""


def rms_qc(pixels: Pixels, parameters: Persistence) -> float:
    """Noise in the middle of an image (Jy/beam), as a measure of its quality.

    The root mean square about the median, after pixels beyond ``rms_est_sigma``
    standard deviations from the median were clipped until none is left to clip. The
    middle reaches from the centre as far as the image's size over ``rms_est_fraction``.
    Pixels that are not finite don't count; NaN if none is finite.

    Raises
    ------
    ImageError
        The image is too small to have such a middle.
    """
    ordered = np.sort(_middle(pixels, parameters.rms_est_fraction), axis=None)
    ordered = ordered[np.isfinite(ordered)].astype(np.float64)
    while ordered.size:
        median = _median(ordered)
        reach = parameters.rms_est_sigma * ordered.std()
        first = np.searchsorted(ordered, median - reach, "left")
        last = np.searchsorted(ordered, median + reach, "right")
        if last - first in (0, ordered.size):
            return math.sqrt(np.square(ordered - median).mean())
        ordered = ordered[first:last]
    return math.nan


def _middle(pixels: Pixels, fraction: float) -> Pixels:
    ny, nx = pixels.shape
    reach_y, reach_x = int(ny // fraction), int(nx // fraction)
    if not (reach_x and reach_y):
        raise ImageError(
            f"the image has {nx} x {ny} pixels: too few to estimate its noise with "
            f"rms_est_fraction = {fraction:g} in [persistence]"
        )
    rows = slice(ny // 2 - reach_y, ny // 2 + reach_y)
    return pixels[rows, nx // 2 - reach_x : nx // 2 + reach_x]


def _median(ordered: Pixels) -> float:
    half = ordered.size // 2
    return float(ordered[~half] + ordered[half]) / 2


def reject(image: Image, rms: float, parameters: JobParameters) -> Rejection | None:
    """Check ``image`` by itself; the first check that it fails rejects it.

    ``rms`` is its `rms_qc`. The order is TraP's: pixels, LOFAR's own checks, noise,
    beam.
    """
    checks = (_check_pixels, _check_lofar, _check_rms, _check_beam)
    failures = (check(image, rms, parameters) for check in checks)
    return next((failure for failure in failures if failure), None)


def _check_pixels(
    image: Image, rms: float, parameters: JobParameters
) -> Rejection | None:
    low, high = image.pixels.min(), image.pixels.max()
    if not (math.isfinite(low) and math.isfinite(high)):
        finite = image.pixels[np.isfinite(image.pixels)]
        if not finite.size:
            return Rejection(reason=NAN, comment="no pixel is a finite number")
        low, high = finite.min(), finite.max()
    if low == high:
        return Rejection(reason=FLAT, comment="")
    if math.isnan(rms):
        comment = "no pixel in the middle of the image is a finite number"
        return Rejection(reason=NAN, comment=comment)
    return None


def _check_lofar(
    image: Image, rms: float, parameters: JobParameters
) -> Rejection | None:
    """Check LOFAR images that name their stations."""
    limits, header = parameters.quality_lofar, image.header
    if image.lofar is None:
        return None
    if header.tau_time_s == 0:
        return Rejection(reason=TAU_TIME, comment="tau_time is 0")
    noise = theoretical_noise(header, image.lofar)
    if not noise * limits.low_bound <= rms <= noise * limits.high_bound:
        value, ratio, expected = (_brief(v) for v in (rms, rms / noise, noise))
        comment = f"rms value ({value}) is {ratio} times theoretical noise ({expected})"
        return Rejection(reason=RMS, comment=comment)
    if rejection := _check_beam(image, rms, parameters):
        return rejection
    near = bright_source_near(header, limits.min_separation)
    return Rejection(reason=BRIGHT_SOURCE, comment=near) if near else None


def _check_rms(image: Image, rms: float, parameters: JobParameters) -> Rejection | None:
    low, high = parameters.quality.rms_est_min, parameters.quality.rms_est_max
    if low < rms < high:
        return None
    return Rejection(reason=RMS, comment=f"RMS value not within {low} and {high}")


def _check_beam(
    image: Image, rms: float, parameters: JobParameters
) -> Rejection | None:
    beam, limits = beam_of(image.header), parameters.quality
    axes = beam.semimajor, beam.semiminor
    if math.inf in (*axes, beam.theta):
        fault = "infinite"
    elif min(axes) * 2 <= 1:
        fault = "undersampled"
    elif max(axes) > limits.oversampled_x:
        fault = "oversampled"
    elif beam.semimajor / beam.semiminor > limits.elliptical_x:
        fault = "too elliptical"
    else:
        return None
    size = "bmaj={} and bmin={} (pixels)".format(*map(_brief, axes))
    return Rejection(reason=BEAM, comment=f"Beam {fault}. {size}")


def _brief(value: float) -> str:
    """Write a number as TraP's comments do."""
    return f"{value:.2e}" if value > 9999 or value < 0.01 else f"{value:.2f}"
