"""Which of an image's pairs count, and what each of them does to its source."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from trap_hpc.pipeline.associate.geometry import Mask
from trap_hpc.pipeline.associate.pairs import Pairs
from trap_hpc.pipeline.records import Integers


class Fates(NamedTuple):
    """What becomes of pairs and rows; masks are by pair."""

    splitting: Mask
    """Pairs of sources that have several: each pair founds a source of its own."""
    matching: Mask
    """The only pair of its source: the row becomes one of the source's points."""
    unpaired: Integers
    """Rows without any pair, discarded ones included: they found new sources."""


def decide(pairs: Pairs, n_rows: int) -> Fates:
    """Turn many-to-many relations into one-to-many and many-to-one, and part those.

    An extraction with several pairs keeps, among its pairs with sources that have
    several pairs themselves, only those of smallest de Ruiter radius. Several sources
    with one extraction are each matched with it.
    """
    seen = np.bincount(pairs.row, minlength=n_rows)
    unpaired = np.flatnonzero(seen == 0)
    start, group = _groups(pairs.source)
    if len(start) == len(pairs.source):
        matching = np.ones(len(start), bool)
        return Fates(~matching, matching, unpaired)
    active = _nearest_only(pairs, seen[pairs.row] > 1, start, group)
    _part_shared_children(pairs, active, start, group)
    several = _several(active, start, group)
    return Fates(active & several, active & ~several, unpaired)


def _groups(source: Integers) -> tuple[Integers, Integers]:
    """Return where each source's pairs start, and the number of each pair's source."""
    first = np.ones(len(source), bool)
    first[1:] = source[1:] != source[:-1]
    return np.flatnonzero(first), np.cumsum(first) - 1


def _nearest_only(
    pairs: Pairs, shared_row: Mask, start: Integers, group: Integers
) -> Mask:
    """Discard all but the nearest among the contested pairs of each extraction."""
    entangled = np.logical_or.reduceat(shared_row, start)
    entangled &= np.diff(start, append=len(group)) > 1
    contested = np.flatnonzero(shared_row & entangled[group])
    row, r = pairs.row[contested], pairs.r[contested]
    nearest = np.full(int(pairs.row.max()) + 1, np.inf)
    np.minimum.at(nearest, row, r)
    active = np.ones(len(group), bool)
    active[contested] = r <= nearest[row]
    return active


def _several(active: Mask, start: Integers, group: Integers) -> Mask:
    several: Mask = (np.add.reduceat(active.astype(np.int64), start) > 1)[group]
    return several


def _part_shared_children(
    pairs: Pairs, active: Mask, start: Integers, group: Integers
) -> None:
    """See to it that no extraction founds two sources; ``active`` is changed.

    It takes two sources at exactly the same de Ruiter radius that both split. TraP
    fails there, on the unique first extraction of a source; here the older source
    keeps the extraction.
    """
    while True:
        splitting = np.flatnonzero(active & _several(active, start, group))
        _, first = np.unique(pairs.row[splitting], return_index=True)
        if len(first) == len(splitting):
            return
        active[np.delete(splitting, first)[:1]] = False
