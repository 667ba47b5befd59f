"""Least-squares fits of Gaussians to all islands of an image at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trap_hpc.pipeline.finder.columns import either
from trap_hpc.pipeline.finder.field import Booleans
from trap_hpc.pipeline.finder.gaussians import Beam, Gaussians, ellipse, quadratic_form
from trap_hpc.pipeline.finder.islands import Islands
from trap_hpc.pipeline.records import Floats

MAX_STEPS = 100
"""A fit that has not settled by then stays as it is: it runs off to a source without
end, which is recognised by its axes."""
PRECISION = 1e-9
"""A fit has settled when a step changes its sum of squares by less than this part."""
ROUNDING = 1e-24
"""Sums of squares below this part of the signal's own are rounding errors."""
FIRST_DAMPING = 0.1
"""Less than this, and some blends settle on one of their components."""
STIFFEST = 1e12
"""Damping beyond which no step makes a difference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Equations:
    """Where the fits stand. The last axis of all arrays is that of the islands."""

    squares: Floats
    """Sum of the squared residuals."""
    gradient: Floats
    """J^T r, shape (parameters, islands)."""
    normal: Floats
    """J^T J, shape (parameters, parameters, islands)."""


def fit(
    islands: Islands, start: Gaussians, beam: Beam | None
) -> tuple[Gaussians, Booleans]:
    """Fit a Gaussian to the pixels of each island, all with the same weight.

    The fits go on at once, each as Levenberg and Marquardt would have it go alone.

    Parameters
    ----------
    islands, start
        What to fit, and what to begin with.
    beam
        Gives the shape of all Gaussians; with None that is fitted too.

    Returns
    -------
    gaussians, success
        ``success`` is False where the fit came to nothing.
    """
    position = np.array([start.peak, start.x, start.y])
    shape = np.array([start.semimajor, start.semiminor, start.theta])
    if beam:
        shape[:] = np.array([[beam.semimajor], [beam.semiminor], [beam.theta]])
    parameters = np.concatenate([position, quadratic_form(*shape)])
    damping = np.full(start.peak.size, FIRST_DAMPING)
    # Steps may lead nowhere (to no ellipse, or to where nothing is left of it): the
    # sum of squares is infinite there, and the step is not taken.
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        parameters = _settled(islands, parameters, 3 if beam else 6, damping, MAX_STEPS)
    if not beam:
        shape = np.array(ellipse(parameters[3:]))
    names = ("peak", "x", "y", "semimajor", "semiminor", "theta")
    columns = dict(zip(names, [*parameters[:3], *shape], strict=True))
    success: Booleans = np.logical_and.reduce(np.isfinite(parameters))
    return Gaussians(**columns), success


def model(sources: Gaussians, islands: Islands) -> Floats:
    """Brightness (Jy/beam) of each source in the pixels of its island."""
    peak, x, y, a, b, c = islands.spread(
        np.array([sources.peak, sources.x, sources.y, *sources.quadratic])
    )
    dx, dy = islands.pixels.x - x, islands.pixels.y - y
    brightness: Floats = peak * np.exp(-(a * dx + 2 * b * dy) * dx - c * dy * dy)
    return brightness


def _settled(
    islands: Islands, parameters: Floats, free: int, damping: Floats, steps: int
) -> Floats:
    """Take up to ``steps`` steps of the first ``free`` rows of ``parameters``."""
    now = _equations(islands, parameters, free)
    negligible = ROUNDING * islands.total(islands.pixels.signal**2)
    running = np.ones(damping.size, dtype=bool)
    while steps and 2 * np.count_nonzero(running) > running.size:
        steps -= 1
        trial = parameters.copy()
        trial[:free] += _step(now, damping)
        then = _equations(islands, trial, free)
        gain = now.squares - then.squares
        better = running & (gain > 0)
        parameters = np.where(better, trial, parameters)
        damping = np.where(better, damping * 0.01, damping * 10)
        running &= np.abs(gain) > PRECISION * now.squares + negligible
        running &= damping < STIFFEST
        now = either(better, then, now)
    if steps and running.any():
        # The few that take longer go on alone.
        parameters[:, running] = _settled(
            islands.only(running), parameters[:, running], free, damping[running], steps
        )
    return parameters


def _equations(islands: Islands, parameters: Floats, free: int) -> _Equations:
    """Linearise about ``parameters``: rows peak, x, y, a, b, c (see `Gaussians`)."""
    peak, x, y, a, b, c = islands.spread(parameters)
    dx, dy = islands.pixels.x - x, islands.pixels.y - y
    slope_x, slope_y = a * dx + b * dy, b * dx + c * dy
    profile = np.exp(-(slope_x * dx + slope_y * dy))
    model = peak * profile
    jacobian = [profile, 2 * model * slope_x, 2 * model * slope_y]
    if free > 3:
        jacobian += [-model * dx * dx, -2 * model * dx * dy, -model * dy * dy]
    residual = islands.pixels.signal - model
    columns = [*jacobian, residual]
    pairs = [(i, j) for i in range(free + 1) for j in range(i + 1)]
    sums = islands.total(np.array([columns[i] * columns[j] for i, j in pairs]))
    products = np.empty((free + 1, free + 1, parameters.shape[1]))
    for (i, j), values in zip(pairs, sums, strict=True):
        products[i, j] = products[j, i] = values
    a, b, c = parameters[3:]
    elliptical = (a > 0) & (a * c > b * b) & np.isfinite(sums).all(axis=0)
    return _Equations(
        squares=np.where(elliptical, products[free, free], np.inf),
        gradient=products[free, :free],
        normal=products[:free, :free],
    )


def _step(equations: _Equations, damping: Floats) -> Floats:
    """Solve the damped normal equations of each island by Gauss-Jordan elimination.

    They are positive definite, so no pivots are looked for.
    """
    free = len(equations.gradient)
    system = np.concatenate([equations.normal, equations.gradient[:, None]], axis=1)
    diagonal = np.arange(free)
    system[diagonal, diagonal] *= 1 + damping
    for k in range(free):
        pivot = system[k] / system[k, k]
        system -= system[:, k, None] * pivot
        system[k] = pivot
    return system[:, free]
