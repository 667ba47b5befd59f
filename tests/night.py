"""Nights made to be difficult: dense skies, many cases, known by their seed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from trap_hpc.config.parameters import JobParameters
from trap_hpc.pipeline.records import (
    SOURCE,
    Floats,
    Header,
    MeasuredImage,
    Rejection,
    Rows,
)
from trap_hpc.pipeline.sources import derive

FIELDS = {
    "plain": (120.0, 50.0),
    "equator": (200.0, 0.0),
    "meridian": (359.95, 20.0),
    "beside the meridian": (0.62, -30.0),
    "north pole": (40.0, 89.8),
    "south pole": (180.0, -89.9),
    "opposite": (180.0, 5.0),
}
STEP_US = 10_000_000


def parameters(**changes: float) -> JobParameters:
    """Small numbers, so that all limits are met within a few steps."""
    made = JobParameters()
    return replace(
        made,
        source_extraction=replace(
            made.source_extraction, expiration=2, extraction_radius_pix=100.0
        ),
        quality=replace(made.quality, rms_est_history=9, rms_rej_sigma=1.8),
        association=replace(made.association, **changes),
    )


def header(number: int, time: int, ra: float, decl: float, **changes: float) -> Header:
    """An image of 30-arcsec pixels, region of 0.83 degrees, beam of 100 arcsec."""
    made = Header(
        address=f"image{number}",
        taustart_us=time * STEP_US,
        tau_time_s=10.0,
        freq_eff_hz=150e6,
        freq_bw_hz=2e6,
        rb_smaj_deg=50 / 3600,
        rb_smin_deg=50 / 3600,
        rb_pa_deg=0.0,
        deltax_deg=-30 / 3600,
        deltay_deg=30 / 3600,
        centre_ra_deg=ra,
        centre_decl_deg=decl,
        nx=200,
        ny=200,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def rows_at(
    ra: Floats,
    decl: Floats,
    flux: Floats,
    error_arcsec: Floats,
    sys_arcsec: float = 5.0,
) -> Rows:
    """EXTRACTED rows of point sources with errors of a tenth of the flux."""
    rows = np.zeros(len(ra), SOURCE)
    rows["ra"], rows["decl"] = ra, decl
    rows["f_peak"], rows["f_int"] = flux, flux * 1.1
    rows["f_peak_err"], rows["f_int_err"] = flux * 0.1, flux * 0.12
    rows["ra_fit_err"] = rows["decl_fit_err"] = error_arcsec / 3600
    rows["ew_sys_err"] = rows["ns_sys_err"] = sys_arcsec
    rows["error_radius"] = error_arcsec
    return derive(rows)


class Night:
    """A field of many sources about (ra, decl), seen again and again."""

    def __init__(self, seed: int, ra: float, decl: float, sources: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._centre = ra, decl
        angle = self._rng.uniform(0, 2 * np.pi, sources)
        distance = 0.3 * np.sqrt(self._rng.random(sources))
        self._east, self._north = distance * np.cos(angle), distance * np.sin(angle)
        self._flux = 10 ** self._rng.uniform(-1.5, 0.5, sources)
        self._images = 0

    def steps(self, count: int) -> Iterator[list[MeasuredImage]]:
        for time in range(count):
            images = int(self._rng.integers(1, 5))
            yield [self._image(time) for _ in range(images)]

    def _image(self, time: int) -> MeasuredImage:
        rng, (ra, decl) = self._rng, self._centre
        self._images += 1
        pointing = rng.choice([0.0, 0.0, 0.0, 0.5, rng.uniform(-0.4, 0.4)])
        beam = rng.choice([30.0, 50.0, 90.0]) / 3600
        made = header(
            self._images,
            time,
            *offset(ra, decl, pointing, 0.1 * pointing),
            freq_eff_hz=rng.choice([150e6, 150e6, 151e6, 160e6]),
            rb_smaj_deg=beam,
        )
        refused = rng.random() < 0.08
        rejection = Rejection(reason=1, comment="beam") if refused else None
        rms_min = rng.choice([0.005, 0.01, 0.02])
        return MeasuredImage(
            header=made,
            content=made.address,
            rms_qc=rng.normal(0.01, 0.001),
            rms_min=rms_min,
            rms_max=rms_min * rng.choice([1.5, 3.0]),
            rejection=rejection,
            blind=self._blind(beam)[: 0 if refused else None],
        )

    def _blind(self, beam: float) -> Rows:
        """What is seen: most sources, near ones blended; at times nothing."""
        rng = self._rng
        seen = rng.random(len(self._flux)) < rng.choice([0.0, 0.6, 0.85, 0.95])
        east, north, flux = self._east[seen], self._north[seen], self._flux[seen]
        east, north = blended(east, north, beam / 2)
        error = 10 ** rng.uniform(0.0, 1.5, len(east))
        east = east + rng.normal(0, error / 3600)
        north = north + rng.normal(0, error / 3600)
        flux = flux[: len(east)] * rng.normal(1, 0.2, len(east)).clip(0.2)
        places = [offset(*self._centre, *at) for at in zip(east, north, strict=True)]
        ra, decl = np.array(places).reshape(-1, 2).T
        return rows_at(ra, decl, flux, error)


def blended(east: Floats, north: Floats, radius: float) -> tuple[Floats, Floats]:
    """Replace every source and those after it within ``radius`` by their middle."""
    left, middles = list(zip(east.tolist(), north.tolist(), strict=True)), []
    while left:
        first = left[0]
        near = [place for place in left if math.dist(place, first) <= radius]
        left = [place for place in left if place not in near]
        middles.append(np.mean(near, axis=0))
    both = np.array(middles).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def offset(ra: float, decl: float, east: float, north: float) -> tuple[float, float]:
    """Return the position some degrees from another, on the plane before the sky."""
    x, y, z = -math.radians(east), math.radians(north), 1.0
    sin, cos = math.sin(math.radians(decl)), math.cos(math.radians(decl))
    level, up = z * cos - y * sin, z * sin + y * cos
    angle = math.degrees(math.atan2(-x, level))
    return (ra + angle) % 360, math.degrees(math.atan2(up, math.hypot(level, x)))


def forced_fit(image: MeasuredImage, ra: float, decl: float) -> dict[str, float] | None:
    """What a forced fit gives: fails at times, known by image and place."""
    digits = int(image.header.address[5:]) * 7 + round(ra * 1e4) + round(decl * 1e4) * 3
    if digits % 5 == 0:
        return None
    flux = 0.02 + 0.01 * math.sin(ra * 50) + 0.01 * math.cos(digits % 100)
    one = np.array([1.0])
    (row,) = rows_at(one * ra, one * decl, one * (flux + 0.01), one)
    return {name: float(row[name]) for name in row.dtype.names or ()}


def fits_of(image: MeasuredImage, requests: Rows, dtype: np.dtype[np.void]) -> Rows:
    """Return the forced fits that requests ask for; f_peak is NaN where one fails."""
    rows = np.full(len(requests), np.nan, dtype)
    for n, (ra, decl) in enumerate(requests[["ra", "decl"]].tolist()):
        if row := forced_fit(image, ra, decl):
            rows[n] = tuple(row[name] for name in dtype.names or ())
    return rows


def monitored(name: str) -> Sequence[tuple[float, float]]:
    """Two positions in the field of that name."""
    return [offset(*FIELDS[name], 0.05, 0.02), offset(*FIELDS[name], -0.1, 0.2)]
