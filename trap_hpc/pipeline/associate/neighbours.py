"""Which points of two sets on the sky are near each other: a grid, made for one image.

A grid on the plane before the image costs less than a tree that is kept: nothing has
to be remembered, sources may move, and there is no seam at RA 0/360 or at the poles.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from trap_hpc.pipeline.associate.geometry import Mask, Vectors
from trap_hpc.pipeline.records import Floats, Integers

_Axis = tuple[float, float, float]


class _Grid(NamedTuple):
    """Square cells over a rectangle, with one more row and column on each side."""

    left: float
    bottom: float
    cell: float
    columns: int
    rows: int

    def number(self, u: Floats, v: Floats) -> Integers:
        """Return the numbers of the cells that hold the points."""
        column = np.floor((u - self.left) / self.cell).astype(np.int64) + 1
        row = np.floor((v - self.bottom) / self.cell).astype(np.int64) + 1
        numbers: Integers = row * self.columns + column
        return numbers


def neighbours(
    points: Vectors, usable: Mask, probes: Vectors, radius_rad: float
) -> tuple[Integers, Integers]:
    """Return pairs (point, probe) that hold all those nearer than ``radius_rad``.

    Some are further apart: the caller measures. Pairs are in no order worth knowing.
    """
    none = np.empty(0, np.int64)
    if len(probes[0]) == 0 or len(points[0]) == 0:
        return none, none
    reach = radius_rad * (1 + 1e-9) + 1e-12
    axes = _axes_before(probes)
    u, v = (_along(axis, probes) for axis in axes)
    point_u, point_v = (_along(axis, points) for axis in axes)
    inside = usable & _within(point_u, u, reach) & _within(point_v, v, reach)
    near = np.flatnonzero(inside)
    grid = _grid_over(u, v, reach)
    point, probe = _joined(
        grid, grid.number(point_u[near], point_v[near]), grid.number(u, v)
    )
    return near[point], probe


def _axes_before(probes: Vectors) -> tuple[_Axis, _Axis]:
    """Return two directions square to each other and to the middle of the probes.

    Any two would give the right pairs; these give the fewest wrong ones.
    """
    x, y, z = (float(values.mean()) for values in probes)
    level, size = math.hypot(x, y), math.hypot(x, y, z)
    if level < 1e-3 * size or size < 1e-3:
        return (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)
    east = -y / level, x / level, 0.0
    north = -x * z / level / size, -y * z / level / size, level / size
    return east, north


def _along(axis: _Axis, vectors: Vectors) -> Floats:
    (a, b, c), (x, y, z) = axis, vectors
    return a * x + b * y + c * z


def _within(values: Floats, bounds: Floats, reach: float) -> Mask:
    inside: Mask = (values > bounds.min() - reach) & (values < bounds.max() + reach)
    return inside


def _grid_over(u: Floats, v: Floats, reach: float) -> _Grid:
    """Return a grid whose cells are no smaller than ``reach``, and not too many."""
    left, bottom = float(u.min()), float(v.min())
    width, height = float(u.max()) - left, float(v.max()) - bottom
    cell = max(
        reach, math.sqrt(width * height / (4 * len(u))), width / 2e4, height / 2e4
    )
    columns, rows = int(width / cell) + 4, int(height / cell) + 4
    return _Grid(left, bottom, cell, columns, rows)


def _joined(
    grid: _Grid, point_cell: Integers, probe_cell: Integers
) -> tuple[Integers, Integers]:
    """Return all pairs (point, probe) of the same cell or of cells that touch."""
    cells = grid.columns * grid.rows
    small = np.uint16 if cells < 2**16 else np.int64
    order = np.argsort(point_cell.astype(small), kind="stable")
    starts = np.zeros(cells + 1, np.int64)
    np.cumsum(np.bincount(point_cell, minlength=cells), out=starts[1:])
    row_above = np.array([[-grid.columns], [0], [grid.columns]])
    middle = (probe_cell + row_above).ravel()
    first, stop = starts[middle - 1], starts[middle + 2]
    count = stop - first
    probe = np.repeat(np.tile(np.arange(len(probe_cell)), 3), count)
    skipped = np.repeat(first - (np.cumsum(count) - count), count)
    return order[np.arange(len(probe)) + skipped], probe
