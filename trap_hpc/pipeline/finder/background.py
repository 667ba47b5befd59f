"""Maps of the background level and of the noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trap_hpc.config.parameters import SourceExtraction
from trap_hpc.pipeline.finder.field import Field, Pixels
from trap_hpc.pipeline.finder.tiles import level_and_noise
from trap_hpc.pipeline.records import Floats, Integers

TILES_AT_ONCE = 128
"""About a quarter million pixels, so that what is worked on stays in the cache."""
NEGLIGIBLE = 0.001
"""Where the noise is less than this times the median tile's, there are no data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared:
    """A `Field` whose background is known and taken away. All in Jy/beam."""

    field: Field
    signal: Pixels
    """Above the background level, shape (ny, nx) of the field."""
    noise: Pixels
    """Its standard deviation, of the same shape."""
    lowest_noise: float
    """Pixels with less than this are no data."""


def clear(field: Field, parameters: SourceExtraction) -> Cleared | None:
    """Measure the background of ``field`` and take it away.

    Level and noise are measured in tiles of ``back_size_x`` by ``back_size_y`` pixels
    from the field's corner on. Between the centres of the tiles they are interpolated
    linearly, beyond the outermost ones they stay constant. As in TraP, a tile counts
    as zero where it shows no noise: if a pixel of it is not finite or all are equal;
    but no noise is less than that of the quietest tile.

    Returns
    -------
    Cleared or None
        None if no tile shows any noise.
    """
    size = parameters.back_size_y, parameters.back_size_x
    level, noise = _measured_grids(field, *size)
    measured = noise > 0
    if not measured.any():
        return None
    noise_map = _interpolated(noise, field.pixels, *size)
    if not measured.all():
        np.maximum(noise_map, noise[measured].min(), out=noise_map)
    return Cleared(
        field=field,
        signal=field.pixels - _interpolated(level, field.pixels, *size),
        noise=noise_map,
        lowest_noise=NEGLIGIBLE * float(np.median(noise[measured])),
    )


def _measured_grids(field: Field, high: int, wide: int) -> tuple[Floats, Floats]:
    """Level and noise of each tile, shape (tiles in y, tiles in x)."""
    pixels = field.pixels
    if not field.complete:
        pixels = np.where(np.isfinite(pixels), pixels, np.nan)
    columns = -(-pixels.shape[1] // wide)
    step = high * max(1, TILES_AT_ONCE // columns)
    parts = [
        level_and_noise(_tiles(pixels[first : first + step], high, wide))
        for first in range(0, pixels.shape[0], step)
    ]
    level, noise = (
        np.concatenate(part).reshape(-1, columns) for part in zip(*parts, strict=True)
    )
    return level, noise


def _tiles(pixels: Pixels, high: int, wide: int) -> Pixels:
    """Cut ``pixels`` into tiles (tiles, high * wide), infinite beyond the last one."""
    ny, nx = pixels.shape
    rows, columns = -(-ny // high), -(-nx // wide)
    padded = np.full((rows * high, columns * wide), np.inf, pixels.dtype)
    padded[:ny, :nx] = pixels
    return (
        padded.reshape(rows, high, columns, wide)
        .swapaxes(1, 2)
        .reshape(rows * columns, high * wide)
    )


def _interpolated(grid: Floats, like: Pixels, high: int, wide: int) -> Pixels:
    """Spread ``grid`` over the pixels, to the shape and type of ``like``."""
    ny, nx = like.shape
    column, right = _places(nx, wide, grid.shape[1])
    row, below = _places(ny, high, grid.shape[0])
    padded = np.pad(grid, ((0, 1), (0, 1)), mode="edge")
    exact = padded[:, column] * (1 - right) + padded[:, column + 1] * right
    across = exact.astype(like.dtype)
    steps = np.diff(across, axis=0)
    weights = below.astype(like.dtype)[:, None]
    out = np.empty_like(like)
    ends = np.searchsorted(row, np.arange(grid.shape[0] + 1))
    for k, (first, last) in enumerate(zip(ends[:-1], ends[1:], strict=True)):
        np.multiply(weights[first:last], steps[k], out=out[first:last])
        out[first:last] += across[k]
    return out


def _places(pixels: int, size: int, tiles: int) -> tuple[Integers, Floats]:
    """Return, for each pixel, the tile centre before it and how far it is beyond."""
    place = np.linspace(-0.5, pixels / size - 0.5, pixels).clip(0, tiles - 1)
    before = place.astype(np.int64)
    return before, place - before
