"""Which pixels of an image are connected."""

from __future__ import annotations

import numpy as np

from trap_hpc.pipeline.records import Integers


def connected(flat: Integers, width: int) -> Integers:
    """Give pixels that are connected by edges a common number, less than their count.

    ``flat`` are their indices, ascending, in an image of ``width`` columns. Pixels side
    by side form runs; runs that touch from row to row form islands.
    """
    begins = (np.diff(flat, prepend=-2) != 1) | (flat % width == 0)
    run = np.cumsum(begins) - 1
    below = np.searchsorted(flat, flat + width)
    upper = np.flatnonzero(np.take(flat, below, mode="clip") == flat + width)
    label = _components(run[upper], run[below[upper]], int(begins.sum()))
    labels: Integers = label[run]
    return labels


def _components(one: Integers, other: Integers, count: int) -> Integers:
    """Label the connected components of a graph by their smallest node.

    ``one`` and ``other`` are the ends of its edges. Each round hangs the roots of all
    trees that an edge joins under the smaller one (Shiloach & Vishkin 1982).
    """
    root = np.arange(count)
    while True:
        left, right = root[one], root[other]
        if np.array_equal(left, right):
            return root
        smaller = np.minimum(left, right)
        np.minimum.at(root, left, smaller)
        np.minimum.at(root, right, smaller)
        while not np.array_equal(root, root[root]):
            root = root[root]
