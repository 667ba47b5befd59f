from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from tests.radio import image, sky
from trap_hpc.config.parameters import JobParameters, Persistence, Quality
from trap_hpc.errors import ImageError
from trap_hpc.pipeline.finder.gaussians import Beam
from trap_hpc.pipeline.images import Image, LofarHeader
from trap_hpc.pipeline.lofar import bright_source_near, theoretical_noise
from trap_hpc.pipeline.quality import REASONS, reject, rms_qc
from trap_hpc.pipeline.records import Floats, Rejection

PARAMETERS = JobParameters()
STATIONS = LofarHeader(
    antenna_set="HBA_DUAL",
    ncore=23,
    nremote=9,
    nintl=8,
    subbands=10,
    subbandwidth_hz=195312.5,
)


def checked(made: Image, parameters: JobParameters = PARAMETERS) -> Rejection | None:
    return reject(made, rms_qc(made.pixels, parameters.persistence), parameters)


def plain_rms(values: Floats, sigma: float) -> float:
    kept = values[np.abs(values - np.median(values)) <= sigma * np.std(values)]
    if kept.size < values.size:
        return plain_rms(kept, sigma)
    return math.sqrt(np.mean((kept - np.median(kept)) ** 2))


def test_the_noise_is_that_of_the_clipped_middle() -> None:
    pixels = sky([(95, 100, 3.0), (105, 90, 0.1), (20, 20, 9.0)])
    middle = pixels[75:125, 75:125].astype(float).ravel()
    found = rms_qc(pixels, Persistence())
    assert found == pytest.approx(plain_rms(middle, 4.0), rel=1e-12)


def test_blank_pixels_in_the_middle_do_not_count() -> None:
    pixels = sky([])
    whole = rms_qc(pixels, Persistence())
    pixels[90:95, 80:120] = np.nan
    pixels[100, 100] = np.inf
    assert rms_qc(pixels, Persistence()) == pytest.approx(whole, rel=0.1)


def test_the_reasons_are_those_of_trap() -> None:
    assert list(REASONS) == list(range(6))
    assert REASONS[0] == "RMS invalid"
    assert REASONS[5] == "data is flat"


def test_a_good_image_passes() -> None:
    assert checked(image(sky([(50, 50, 1.0)]))) is None


@pytest.mark.parametrize(
    ("pixels", "reason", "comment"),
    [
        (np.full((64, 64), np.nan), 4, "no pixel is a finite number"),
        (np.full((64, 64), 0.3), 5, ""),
        (np.where(np.eye(64) > 0, 0.3, np.nan), 5, ""),
    ],
    ids=["all NaN", "constant", "constant where not NaN"],
)
def test_an_image_that_shows_nothing_is_rejected(
    pixels: Floats, reason: int, comment: str
) -> None:
    expected = Rejection(reason=reason, comment=comment)
    assert checked(image(pixels.astype(np.float32))) == expected


def test_an_image_that_is_blank_in_the_middle_is_rejected() -> None:
    pixels = sky([])
    pixels[70:130, 70:130] = np.nan
    rejection = checked(image(pixels))
    assert rejection is not None
    assert rejection.reason == 4
    assert "middle" in rejection.comment


@pytest.mark.parametrize(
    ("axes", "comment"),
    [
        ((6.5, 2.5), "Beam too elliptical. bmaj=6.50 and bmin=2.50 (pixels)"),
        ((0.7, 0.5), "Beam undersampled. bmaj=0.70 and bmin=0.50 (pixels)"),
        ((31.0, 20.0), "Beam oversampled. bmaj=31.00 and bmin=20.00 (pixels)"),
        ((math.inf, 2.0), "Beam infinite. bmaj=inf and bmin=2.00 (pixels)"),
    ],
)
def test_a_beam_out_of_bounds_is_rejected(
    axes: tuple[float, float], comment: str
) -> None:
    beam = Beam(semimajor=axes[0], semiminor=axes[1], theta=0.0)
    made = image(sky([]), beam=beam)
    assert checked(made) == Rejection(reason=1, comment=comment)


def test_the_noise_must_lie_within_its_bounds() -> None:
    parameters = replace(PARAMETERS, quality=Quality(rms_est_max=0.001))
    rejection = checked(image(sky([])), parameters)
    assert rejection == Rejection(
        reason=0, comment="RMS value not within 0.0 and 0.001"
    )


def test_noise_is_judged_before_the_beam() -> None:
    parameters = replace(PARAMETERS, quality=Quality(rms_est_max=0.001))
    made = image(sky([]), beam=Beam(semimajor=9.0, semiminor=1.0, theta=0.0))
    rejection = checked(made, parameters)
    assert rejection is not None
    assert rejection.reason == 0


def test_an_image_too_small_to_have_a_middle_is_refused() -> None:
    with pytest.raises(ImageError, match="6 x 9 pixels: too few to estimate"):
        rms_qc(np.ones((9, 6)), Persistence())


def lofar_image(**header: Any) -> Image:
    """An image whose noise is what its stations should give."""
    made = image(sky([]), lofar=STATIONS, centre=(123.4, 32.9), **header)
    if made.header.tau_time_s == 0:
        return made
    tau = (
        made.header.tau_time_s * (theoretical_noise(made.header, STATIONS) / 0.005) ** 2
    )
    return replace(made, header=replace(made.header, tau_time_s=tau))


def test_a_lofar_image_with_the_noise_of_its_stations_passes() -> None:
    assert checked(lofar_image()) is None


def test_a_lofar_image_without_a_duration_is_rejected() -> None:
    expected = Rejection(reason=3, comment="tau_time is 0")
    assert checked(lofar_image(tau_time_s=0.0)) == expected


def test_a_lofar_image_noisier_than_its_stations_is_rejected() -> None:
    made = lofar_image()
    longer = replace(made.header, tau_time_s=made.header.tau_time_s * 1e4)
    rejection = checked(replace(made, header=longer))
    assert rejection is not None
    assert rejection.reason == 0
    assert rejection.comment.endswith("times theoretical noise (5.00e-05)")


def test_a_lofar_image_near_a_bright_source_is_rejected() -> None:
    made = lofar_image()
    near = replace(made.header, centre_ra_deg=83.6, centre_decl_deg=25.0)
    rejection = checked(replace(made, header=near))
    assert rejection is not None
    assert rejection.reason == 2
    assert rejection.comment.endswith("degrees from TauA.")


def test_the_sun_is_a_bright_source() -> None:
    equinox = datetime(2014, 3, 20, 16, 57, tzinfo=UTC)
    header = image(
        sky([]), centre=(0.5, 0.0), taustart_us=int(equinox.timestamp()) * 1_000_000
    ).header
    found = bright_source_near(header, 10.0)
    assert found is not None
    assert found.endswith("degrees from SUN.")


@pytest.mark.parametrize(
    ("antenna_set", "freq_mhz", "noise_jy"),
    [
        ("HBA", 150, 0.0008811342285504189),
        ("LBA_INNER", 60, 0.021720501421009397),
        ("LBA_OUTER", 45, 0.025066707625942188),
        ("LBA", 30, 0.026718865211864756),
    ],
)
def test_the_theoretical_noise_is_that_of_trap(
    antenna_set: str, freq_mhz: float, noise_jy: float
) -> None:
    header = replace(image(sky([])).header, freq_eff_hz=freq_mhz * 1e6)
    found = theoretical_noise(header, replace(STATIONS, antenna_set=antenna_set))
    assert found == pytest.approx(noise_jy, rel=1e-9)


@pytest.mark.parametrize("antenna_set", ["LBA_SPARSE_EVEN", "LBA_SPARSE1", "LBA_X"])
def test_every_half_of_a_station_has_its_noise(antenna_set: str) -> None:
    header = replace(image(sky([])).header, freq_eff_hz=60e6)
    whole, half = (
        theoretical_noise(header, replace(STATIONS, antenna_set=name))
        for name in ("LBA", antenna_set)
    )
    assert whole < half < 3 * whole


def test_stations_that_are_not_there_can_not_be_quiet() -> None:
    none = replace(STATIONS, ncore=0, nremote=0, nintl=0)
    assert theoretical_noise(image(sky([])).header, none) == math.inf
