"""Islands that hold several sources, taken apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from trap_hpc.config.parameters import SourceExtraction
from trap_hpc.pipeline.finder.columns import only
from trap_hpc.pipeline.finder.islands import Islands, gather, join
from trap_hpc.pipeline.records import Floats

LEAST_PART = 0.005
"""Of an island's flux, that a piece must have above its level to count."""
MOST_LEVELS = 300


def deblend(islands: Islands, parameters: SourceExtraction) -> Islands:
    """Take islands apart that fall into pieces at higher levels.

    There are ``deblend_nthresh`` levels between the smallest and the largest signal of
    an island, in logarithmic steps. If it falls apart at one, and more than one piece
    has 0.005 of its flux above the level and reaches the detection threshold, these
    pieces take its place: the pixels above that level (Spreeuw 2010, section 2.2).
    Unlike in TraP, their noise remains that of the image.
    """
    count = min(parameters.deblend_nthresh, MOST_LEVELS)
    pieces: list[Islands] = []
    for island in islands.each():
        least_flux = LEAST_PART * float(island.pixels.signal.sum())
        levels = _levels(island.pixels.signal, count)
        pieces += _pieces(island, levels, least_flux, parameters.detection_threshold)
    return join(pieces) if pieces else islands


def _levels(signal: Floats, count: int) -> Floats:
    """Levels between the smallest and the largest signal, without these two."""
    low, high = signal.min(), signal.max()
    steps = np.arange(1, count + 1) / (count + 1)
    levels: Floats = low - 1 + (high - low + 1) ** steps
    return levels


def _pieces(
    island: Islands, levels: Floats, least_flux: float, detection_threshold: float
) -> Iterator[Islands]:
    """Yield ``island``, or what it falls into at one of ``levels``, each by itself."""
    for k, level in enumerate(levels):
        above = only(island.pixels, island.pixels.signal >= level)
        parts = gather(replace(above, threshold=np.full(above.x.size, level)))
        if parts.starts.size == 1:
            continue
        flux = parts.total(parts.pixels.signal - level)
        counts = (flux > least_flux) & parts.reach(detection_threshold)
        if np.count_nonzero(counts) > 1:
            for part in parts.only(counts).each():
                yield from _pieces(
                    part, levels[k + 1 :], least_flux, detection_threshold
                )
            return
        if not counts.any():
            break
    yield island
