"""Measurements as if from images, made from a seed: no pixels anywhere."""

from __future__ import annotations

import math

import numpy as np

from trap_hpc.config.parameters import JobParameters, SourceExtraction
from trap_hpc.pipeline.records import (
    SOURCE,
    Floats,
    ForcedImage,
    Header,
    MeasuredImage,
    Rows,
)
from trap_hpc.pipeline.sources import derive

CADENCE_US = 10_000_000
START_US = 1_700_000_000_000_000
BEAM_DEG, PIXEL_DEG = 60 / 3600, 20 / 3600
APART_DEG = 0.1
NOISE_JY = 0.01
MISSED = 0.01
"""Of all sources in an image: each is missed now and then, and owes a forced fit."""
NEW_EVERY = 10
"""Images from one flare to the next, at one of 25 places between the sources."""
FIT_ERR_DEG = 2 / 3600


class Sky:
    """Sources on a jittered grid, six half widths of the beam from each other."""

    def __init__(self, sources: int, seed: int = 1) -> None:
        self._seed = seed
        rng = np.random.default_rng(seed)
        side = math.isqrt(sources - 1) + 1
        self._radius_deg = APART_DEG * side
        cell = rng.permutation(side * side)[:sources]
        self._corner = side % 2 / 2
        offset = np.stack([cell % side, cell // side]) - (side - 1) / 2
        offset += rng.uniform(-0.2, 0.2, offset.shape)
        self._decl = APART_DEG * offset[1]
        self._ra = 180 + APART_DEG * offset[0] / np.cos(np.radians(self._decl))
        self._flux = NOISE_JY * np.exp(rng.uniform(3, 6, sources))

    @property
    def radius_pix(self) -> float:
        """For ``extraction_radius_pix``: the field is as large as it must be."""
        return self._radius_deg / PIXEL_DEG

    @property
    def parameters(self) -> JobParameters:
        extraction = SourceExtraction(extraction_radius_pix=self.radius_pix)
        return JobParameters(source_extraction=extraction)

    def header(self, number: int) -> Header:
        return Header(
            address=f"/simulated/{number:07d}.fits",
            taustart_us=START_US + number * CADENCE_US,
            tau_time_s=CADENCE_US / 1e6,
            freq_eff_hz=150e6,
            freq_bw_hz=2e6,
            rb_smaj_deg=BEAM_DEG,
            rb_smin_deg=BEAM_DEG,
            rb_pa_deg=0.0,
            deltax_deg=-PIXEL_DEG,
            deltay_deg=PIXEL_DEG,
            centre_ra_deg=180.0,
            centre_decl_deg=0.0,
            nx=512,
            ny=512,
        )

    def image(self, number: int) -> MeasuredImage:
        """Return image ``number``: the same whenever and wherever it is made."""
        rng = np.random.default_rng([self._seed, number])
        seen = rng.random(len(self._ra)) >= MISSED
        ra, decl, flux = self._ra[seen], self._decl[seen], self._flux[seen]
        if number % NEW_EVERY == NEW_EVERY - 1:
            place = APART_DEG * (rng.integers(0, 5, 2) + self._corner)
            ra, decl = np.append(ra, 180 + place[0]), np.append(decl, place[1])
            flux = np.append(flux, 100 * NOISE_JY)
        shift = rng.normal(0, FIT_ERR_DEG, (2, len(ra)))
        noise_jy = NOISE_JY * rng.uniform(0.97, 1.03)
        return MeasuredImage(
            header=self.header(number),
            content=f"{number:032x}",
            rms_qc=noise_jy,
            rms_min=0.9 * noise_jy,
            rms_max=1.1 * noise_jy,
            blind=_rows(ra + shift[0], decl + shift[1], _noisy(flux, rng)),
        )

    def forced(self, number: int, requests: Rows) -> ForcedImage:
        """Fits of nothing but noise."""
        rng = np.random.default_rng([self._seed, number, 1])
        flux = _noisy(np.zeros(len(requests)), rng)
        return ForcedImage(
            address=self.header(number).address,
            requests=requests,
            fits=_rows(requests["ra"], requests["decl"], flux),
        )


def number_of(address: str) -> int:
    return int(address.rpartition("/")[2].removesuffix(".fits"))


def _noisy(flux: Floats, rng: np.random.Generator) -> Floats:
    return flux + rng.normal(0, NOISE_JY, len(flux))


def _rows(ra: Floats, decl: Floats, flux: Floats) -> Rows:
    rows = np.zeros(len(ra), SOURCE)
    constants = {
        "ra_fit_err": FIT_ERR_DEG,
        "decl_fit_err": FIT_ERR_DEG,
        "f_peak_err": NOISE_JY,
        "f_int_err": NOISE_JY,
        "det_sigma": 20.0,
        "semimajor": BEAM_DEG * 3600,
        "semiminor": BEAM_DEG * 3600,
        "ew_sys_err": 10.0,
        "ns_sys_err": 10.0,
        "error_radius": FIT_ERR_DEG * 3600,
        "gaussian": True,
    }
    for name, value in constants.items():
        rows[name] = value
    for name, values in {"ra": ra, "decl": decl, "f_peak": flux, "f_int": flux}.items():
        rows[name] = values
    return derive(rows)
