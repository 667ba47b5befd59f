"""Small made-up images, measurements and files that tests share."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from astropy.io import fits

from trap_hpc.pipeline.records import (
    EXTRACTED,
    REQUEST,
    ForcedImage,
    Header,
    MeasuredImage,
    Rows,
)

HEADER = Header(
    address="night.fits",
    taustart_us=1_400_000_000_000_000,
    tau_time_s=600.0,
    freq_eff_hz=150e6,
    freq_bw_hz=1.9e6,
    rb_smaj_deg=1 / 60,
    rb_smin_deg=1 / 72,
    rb_pa_deg=30.0,
    deltax_deg=-1 / 180,
    deltay_deg=1 / 180,
    centre_ra_deg=123.4,
    centre_decl_deg=52.9,
    nx=512,
    ny=512,
    telescope="LOFAR",
)


def extracted(count: int, seed: int = 0) -> Rows:
    """Rows with random numbers: for passing about, not for science."""
    random = np.random.default_rng(seed)
    rows = np.zeros(count, EXTRACTED)
    for name in EXTRACTED.names or ():
        rows[name] = random.random(count) if name != "gaussian" else True
    return rows


def measured(
    address: str = "night.fits", *, step: int = 0, count: int = 3
) -> MeasuredImage:
    header = replace(
        HEADER, address=address, taustart_us=HEADER.taustart_us + step * 1_000_000
    )
    return MeasuredImage(
        header=header,
        content=f"{address}-{step}",
        rms_qc=0.01,
        rms_min=0.009,
        rms_max=0.011,
        blind=extracted(count, seed=step),
    )


def forced(address: str, targets: list[int]) -> ForcedImage:
    requests = np.array([(t, 10.0 + t, 20.0) for t in targets], REQUEST)
    return ForcedImage(
        address=address, requests=requests, fits=extracted(len(targets), seed=1)
    )


def write_noise(path: Path, *, size: int = 64, seed: int = 0, **cards: object) -> Path:
    """Write a FITS image of noise with all the header keys that are needed."""
    pixels = np.random.default_rng(seed).normal(0, 0.01, (size, size))
    return write_image(path, pixels.astype(np.float32), **cards)


def write_image(path: Path, pixels: npt.NDArray[np.float32], **cards: object) -> Path:
    """Write a FITS image with all the header keys that are needed."""
    hdu = fits.PrimaryHDU(pixels)
    hdu.header.update(
        {
            "CTYPE1": "RA---SIN",
            "CRPIX1": pixels.shape[1] / 2 + 1,
            "CDELT1": -1 / 180,
            "CRVAL1": 123.4,
            "CTYPE2": "DEC--SIN",
            "CRPIX2": pixels.shape[0] / 2 + 1,
            "CDELT2": 1 / 180,
            "CRVAL2": 52.9,
            "RESTFRQ": 150e6,
            "RESTBW": 1.9e6,
            "BMAJ": 1 / 30,
            "BMIN": 1 / 36,
            "BPA": 30.0,
            "DATE-OBS": "2014-03-01T12:00:00.0",
            "END_UTC": "2014-03-01T12:10:00.0",
            **cards,
        }
    )
    hdu.writeto(path)
    return path
