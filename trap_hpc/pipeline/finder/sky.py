"""From pixels to the sky: positions, their errors, axes and position angles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trap_hpc.pipeline.finder.gaussians import Gaussians
from trap_hpc.pipeline.finder.uncertainties import Photometry
from trap_hpc.pipeline.images import Projection
from trap_hpc.pipeline.records import Floats

ARCSEC = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SkyShape:
    """Where sources lie and how large they are; NaN where that is not on the sky."""

    ra: Floats
    """Degrees, as the next three."""
    decl: Floats
    ra_fit_err: Floats
    decl_fit_err: Floats
    error_radius: Floats
    """Arcsec, as the next two."""
    semimajor: Floats
    semiminor: Floats
    pa: Floats
    """Degrees east of north."""


def on_the_sky(sources: Gaussians, errors: Photometry, sky: Projection) -> SkyShape:
    """Project ``sources``, in pixels of the image, and the errors of their positions.

    As in TraP, the error of a coordinate is the larger of those that a step along x and
    a step along y give, and the error radius reaches the farthest corner of the error
    box: infinity if that is not on the sky.
    """
    dx, dy = _excursions(sources, errors)
    ra, decl = sky.to_sky(sources.x + dx, sources.y + dy)
    separation = ARCSEC * _separation(ra[:1], decl[:1], ra, decl)
    up = _bearing(ra[0], decl[0], ra[1], decl[1])
    ra_err, decl_err = _coordinate_errors(sources, errors, up, sky)
    radius = separation[4:].max(axis=0)
    return SkyShape(
        ra=ra[0],
        decl=decl[0],
        ra_fit_err=ra_err,
        decl_fit_err=decl_err,
        error_radius=np.where(np.isnan(radius), np.inf, radius),
        semimajor=separation[2],
        semiminor=separation[3],
        pa=np.degrees(sources.theta + up) % 180,
    )


def _excursions(sources: Gaussians, errors: Photometry) -> tuple[Floats, Floats]:
    """Shifts in x and y, shape (8, sources), to the places that `on_the_sky` needs.

    None at all, one pixel up, the ends of the two axes, the corners of the error box.
    """
    cos, sin = np.cos(sources.theta), np.sin(sources.theta)
    none, one = np.zeros_like(cos), np.ones_like(cos)
    right, up = errors.x_err, errors.y_err
    major, minor = sources.semimajor, sources.semiminor
    dx = [none, none, -major * sin, minor * cos, right, -right, right, -right]
    dy = [none, one, major * cos, minor * sin, up, up, -up, -up]
    return np.array(dx), np.array(dy)


def _coordinate_errors(
    sources: Gaussians, errors: Photometry, up: Floats, sky: Projection
) -> tuple[Floats, Floats]:
    """Errors of right ascension and declination; NaN if they lead off the sky."""
    cos, sin = np.cos(up), np.sin(up)
    along_x = np.hypot(errors.x_err * cos, errors.y_err * sin)
    along_y = np.hypot(errors.x_err * sin, errors.y_err * cos)
    none = np.zeros_like(cos)
    dx, dy = np.array([none, along_x, none]), np.array([none, none, along_y])
    ra, decl = sky.to_sky(sources.x + dx, sources.y + dy)
    # Right ascensions may lie on both sides of 0 h.
    ra_steps = np.abs((ra[1:] - ra[0] + 180) % 360 - 180)
    return ra_steps.max(axis=0), np.abs(decl[1:] - decl[0]).max(axis=0)


def _separation(ra_1: Floats, decl_1: Floats, ra_2: Floats, decl_2: Floats) -> Floats:
    """Angle between positions, all in degrees, by the haversine formula."""
    d_ra, d_decl = np.radians(ra_2 - ra_1) / 2, np.radians(decl_2 - decl_1) / 2
    cosines = np.cos(np.radians(decl_1)) * np.cos(np.radians(decl_2))
    haversine = np.sin(d_decl) ** 2 + cosines * np.sin(d_ra) ** 2
    angle: Floats = np.degrees(2 * np.arcsin(np.sqrt(np.minimum(haversine, 1.0))))
    return angle


def _bearing(ra_1: Floats, decl_1: Floats, ra_2: Floats, decl_2: Floats) -> Floats:
    """Direction from the first position to the second, radians east of north."""
    d_ra, decl_1, decl_2 = (
        np.radians(ra_2 - ra_1),
        np.radians(decl_1),
        np.radians(decl_2),
    )
    east = np.sin(d_ra) * np.cos(decl_2)
    north = np.cos(decl_1) * np.sin(decl_2) - np.sin(decl_1) * np.cos(decl_2) * np.cos(
        d_ra
    )
    bearing: Floats = np.arctan2(east, north)
    return bearing
