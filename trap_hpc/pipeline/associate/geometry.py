"""Positions on the sky as TraP compares them: all angles in degrees."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trap_hpc.pipeline.records import Floats, Integers
from trap_hpc.pipeline.sources import alpha

Mask = npt.NDArray[np.bool_]
Vectors = tuple[Floats, Floats, Floats]
"""x, y and z of unit vectors."""

DEGREE = 0.017453292519943295
"""Radians."""
STEPS = 100_000_000
"""TraP shifts right ascensions in PostgreSQL's NUMERIC(11,8): whole steps of 1e-8."""


def unit_vectors(ra: Floats, decl: Floats) -> Vectors:
    """Return the unit vectors that point to the positions."""
    cos_decl = np.cos(decl * DEGREE)
    return (
        cos_decl * np.cos(ra * DEGREE),
        cos_decl * np.sin(ra * DEGREE),
        np.sin(decl * DEGREE),
    )


def some(vectors: Vectors, places: Integers) -> Vectors:
    """Return the vectors at the places."""
    x, y, z = vectors
    return x[places], y[places], z[places]


def separation(one: Vectors, other: Vectors) -> Floats:
    """Return the angle between unit vectors, from the chord between them."""
    (x1, y1, z1), (x2, y2, z2) = one, other
    dx, dy, dz = x1 - x2, y1 - y2, z1 - z2
    chord = np.sqrt(dx * dx + dy * dy + dz * dz)
    angle: Floats = 2 * np.arcsin(np.minimum(chord / 2, 1)) / DEGREE
    return angle


def near_meridian(ra: Floats) -> Mask:
    """Tell which positions are compared across RA 0/360, if the image lies across it.

    TraP asks this of the running catalogue's position alone.
    """
    return (ra < 90) | (ra > 270)


def opposite(ra: Floats) -> Integers:
    """Return ``ra + 180`` modulo 360 as whole steps of 1e-8 degrees.

    PostgreSQL writes a double with 15 digits, here 12 after the point, before it
    rounds half away from zero to the 8 of NUMERIC(11,8).
    """
    digits = np.rint((ra + 180) * 1e12).astype(np.int64)
    steps: Integers = (digits + 5000) // 10_000 % (360 * STEPS)
    return steps


def lies_across_meridian(ra: float, decl: float, radius: float) -> bool:
    """Tell whether a circle reaches RA 0/360, by its half range in right ascension."""
    half = float(alpha(np.asarray(radius), np.asarray(decl)))
    return ra - half < 0 or ra + half > 360
