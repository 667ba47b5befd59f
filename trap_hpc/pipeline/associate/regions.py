"""Sky regions: which sources an image should show."""

from __future__ import annotations

import numpy as np

from trap_hpc.pipeline.associate.geometry import (
    Mask,
    Vectors,
    lies_across_meridian,
    separation,
    unit_vectors,
)
from trap_hpc.pipeline.associate.growing import Growing
from trap_hpc.pipeline.associate.running import RunningCatalogue
from trap_hpc.pipeline.records import ASSOCSKYRGN, SKYREGION, Floats, Integers, Rows

Key = tuple[float, float, float]
"""Right ascension, declination and radius: regions are the same if these are equal."""


class _Members:
    """The sources of one region by ascending number, with their distances in degrees.

    The distance in its first region is not known (NaN): TraP leaves it empty.
    """

    def __init__(self) -> None:
        self.sources = Growing(np.int64)
        self.distances = Growing(np.float64)

    def add(self, sources: Integers, distances: Floats) -> None:
        self.sources.append(sources)
        self.distances.append(distances)

    def distances_of(self, sources: Integers) -> tuple[Mask, Floats]:
        """Tell which are members, and the distances of those."""
        if len(self.sources) == 0:
            return np.zeros(len(sources), bool), np.empty(0)
        known = self.sources.values
        place = np.minimum(np.searchsorted(known, sources), len(known) - 1)
        found = known[place] == sources
        return found, self.distances.values[place[found]]


class Regions:
    """All regions so far, and the sources that belong to them."""

    def __init__(self) -> None:
        self._ids: dict[Key, int] = {}
        self._across: list[bool] = []
        self._steps: list[int] = []
        self._members: list[_Members] = []
        self._centres = Growing(np.float64, (6,))

    def __len__(self) -> int:
        return len(self._ids)

    def find(self, key: Key, running: RunningCatalogue, step: int) -> int:
        """Return the id of a region; a new one takes in the sources within its circle.

        ``step`` is the number of the time step that asks.
        """
        if key in self._ids:
            return self._ids[key]
        ra, decl, radius = key
        vector = unit_vectors(np.array([ra]), np.array([decl]))
        self._ids[key] = len(self._ids) + 1
        self._across.append(lies_across_meridian(ra, decl, radius))
        self._steps.append(step)
        self._centres.append(np.stack([np.array([value]) for value in key] + [*vector]))
        members = _Members()
        members.add(*_inside(key, vector, running))
        self._members.append(members)
        return self._ids[key]

    def lies_across_meridian(self, region: int) -> bool:
        """Tell whether the region reaches RA 0/360."""
        return self._across[region - 1]

    def members(self, region: int) -> Integers:
        """Return the sources of a region, those replaced since included."""
        return self._members[region - 1].sources.values

    def add(self, sources: Integers, vectors: Vectors, region: int) -> Mask:
        """Add new sources that ``region`` shows to all regions whose circle holds them.

        Returns
        -------
        Mask of shape (sources, regions): which source belongs to which region.
        """
        _, _, radius, x, y, z = self._centres.values
        columns = tuple(column[:, np.newaxis] for column in vectors)
        distance = separation((columns[0], columns[1], columns[2]), (x, y, z))
        distance[:, region - 1] = np.nan
        belongs: Mask = distance < radius
        belongs[:, region - 1] = True
        for number in np.flatnonzero(belongs.any(axis=0)):
            chosen = belongs[:, number]
            self._members[number].add(sources[chosen], distance[chosen, number])
        return belongs

    def inherit(self, children: Integers, parents: Integers) -> None:
        """Let children of a split belong to the regions of their parents."""
        for members in self._members:
            found, distances = members.distances_of(parents)
            members.add(children[found], distances)

    def rows(self) -> Rows:
        """Return SKYREGION rows."""
        rows = np.zeros(len(self), SKYREGION)
        names = "centre_ra", "centre_decl", "xtr_radius", "x", "y", "z"
        for name, column in zip(names, self._centres.values, strict=True):
            rows[name] = column
        rows["id"] = np.arange(1, len(self) + 1)
        return rows

    def steps(self) -> Integers:
        """Return the number of the time step that made each region."""
        return np.array(self._steps, np.int64)

    def links(self, alive: Mask) -> Rows:
        """Return ASSOCSKYRGN rows of the sources alive; id stays 0."""
        parts = []
        for number, members in enumerate(self._members, start=1):
            kept = alive[members.sources.values]
            part = np.zeros(int(kept.sum()), ASSOCSKYRGN)
            part["runcat"] = members.sources.values[kept]
            part["distance_deg"] = members.distances.values[kept]
            part["skyrgn"] = number
            parts.append(part)
        joined = np.concatenate([np.zeros(0, ASSOCSKYRGN), *parts])
        return joined[np.lexsort((joined["skyrgn"], joined["runcat"]))]


def _inside(
    key: Key, centre: Vectors, running: RunningCatalogue
) -> tuple[Integers, Floats]:
    """Return the sources nearer than the radius to the centre, and their distances."""
    _, decl, radius = key
    known = running.averages
    distance = separation(known.vectors, centre)
    inside = running.alive & (distance < radius)
    inside &= np.abs(known.wm_decl - decl) <= radius
    sources = np.flatnonzero(inside)
    return sources, distance[sources]
