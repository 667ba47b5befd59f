"""Elliptical Gaussians: what the source finder takes sources for."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from trap_hpc.pipeline.records import Floats, Header

LN2 = math.log(2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beam:
    """The restoring beam: half widths at half maximum (pixels) and angle (radians)."""

    semimajor: float
    semiminor: float
    theta: float

    @property
    def area(self) -> float:
        """Of the ellipse at half maximum (pixels)."""
        return math.pi * self.semimajor * self.semiminor


def beam_of(header: Header) -> Beam:
    """Return the beam of an image in its pixels."""
    return Beam(
        semimajor=header.rb_smaj_deg / abs(header.deltax_deg),
        semiminor=header.rb_smin_deg / abs(header.deltay_deg),
        theta=math.radians(header.rb_pa_deg),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Gaussians:
    """Sources, one element each.

    The brightness falls to half of ``peak`` on an ellipse about (``x``, ``y``) whose
    semi-major axis points ``theta`` radians from +y towards -x.
    """

    peak: Floats
    x: Floats
    y: Floats
    semimajor: Floats
    semiminor: Floats
    theta: Floats

    @property
    def quadratic(self) -> Floats:
        """The `quadratic_form` of each."""
        return quadratic_form(self.semimajor, self.semiminor, self.theta)

    def shifted(self, x: float, y: float) -> Gaussians:
        """Move all sources by ``x``, ``y`` pixels."""
        return replace(self, x=self.x + x, y=self.y + y)


def quadratic_form(
    semimajor: Floats | float, semiminor: Floats | float, theta: Floats | float
) -> Floats:
    """Return a, b, c, shape (3, sources), of exp(-(a dx^2 + 2 b dx dy + c dy^2))."""
    cos, sin = np.cos(theta), np.sin(theta)
    across, along = LN2 / np.square(semiminor), LN2 / np.square(semimajor)
    return np.array(
        [
            across * cos**2 + along * sin**2,
            (across - along) * cos * sin,
            across * sin**2 + along * cos**2,
        ]
    )


def ellipse(quadratic: Floats) -> tuple[Floats, Floats, Floats]:
    """Semi-major axis, semi-minor axis and theta of a `quadratic_form`."""
    a, b, c = quadratic
    middle, half_range = (a + c) / 2, np.hypot((a - c) / 2, b)
    semimajor = np.sqrt(LN2 / (middle - half_range))
    semiminor = np.sqrt(LN2 / (middle + half_range))
    return semimajor, semiminor, 0.5 * np.arctan2(2 * b, a - c)


@lru_cache(maxsize=64)
def pixel_peak_statistics(beam: Beam) -> tuple[float, float]:
    """How a source's peak compares with its brightest pixel: mean ratio and variance.

    The true peak is taken to lie anywhere in the pixel with equal probability
    (Spreeuw 2010, section 2.3.3); integrals by Simpson's rule.
    """
    offsets = np.linspace(-0.5, 0.5, 65)
    weights = np.ones(65)
    weights[1:-1:2], weights[2:-1:2] = 4, 2
    weights /= weights.sum()
    a, b, c = quadratic_form(beam.semimajor, beam.semiminor, beam.theta)
    dx, dy = offsets[None, :], offsets[:, None]
    ratio = np.exp(a * dx**2 + 2 * b * dx * dy + c * dy**2)
    mean, square = (
        float((weights[:, None] * weights * ratio**power).sum()) for power in (1, 2)
    )
    return mean, square - mean**2
