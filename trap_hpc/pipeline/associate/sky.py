"""The running catalogue, its regions and new sources, and how an image changes it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from trap_hpc.pipeline.associate.averages import Points, begun, continued, points_of
from trap_hpc.pipeline.associate.geometry import Mask
from trap_hpc.pipeline.associate.growing import end_to_end
from trap_hpc.pipeline.associate.many_to_many import decide
from trap_hpc.pipeline.associate.newsource import EarlierLimits, NewSources
from trap_hpc.pipeline.associate.pairs import Limits, Pairs, find_pairs
from trap_hpc.pipeline.associate.regions import Regions
from trap_hpc.pipeline.associate.running import RunningCatalogue
from trap_hpc.pipeline.associate.steps import (
    MATCH,
    MATCHED,
    NEW,
    SPLIT_OFF,
    Sources,
    StepImage,
)
from trap_hpc.pipeline.records import Floats, Integers, Rows, no_rows


class Arrival(NamedTuple):
    """An image that comes to be associated."""

    number: int
    """Counted from 0 over all images."""
    taustart_us: int
    band: int
    region: int
    across: bool
    """The region reaches RA 0/360."""
    points: Points
    f_peak: Floats


class Sky:
    """What the association knows of the sources; ``margin`` is EarlierLimits'."""

    def __init__(self, margin: float) -> None:
        self.running = RunningCatalogue()
        self.regions = Regions()
        self.limits = EarlierLimits(margin)
        self._newsources = NewSources()

    def associate(self, placed: StepImage, number: int, limits: Limits) -> Rows:
        """Associate an image's blind extractions; ``number`` is the image's.

        Returns
        -------
        MATCH rows: split off by (parent, row), matched by (source, row), new by row.
        """
        image = self._arrival(placed, number)
        known, alive = self.running.averages, self.running.alive
        pairs = find_pairs(known, alive, image.points, limits, across=image.across)
        fates = decide(pairs, len(image.f_peak))
        matches = [
            self._split(_chosen(pairs, fates.splitting), image),
            self._match(_chosen(pairs, fates.matching), image),
            self._found(fates.unpaired, image),
        ]
        return end_to_end(matches, MATCH)

    def _arrival(self, placed: StepImage, number: int) -> Arrival:
        rows = placed.image.blind
        return Arrival(
            number=number,
            taustart_us=placed.image.header.taustart_us,
            band=placed.band,
            region=placed.region,
            across=self.regions.lies_across_meridian(placed.region),
            points=points_of(rows),
            f_peak=rows["f_peak"],
        )

    def _split(self, pairs: Pairs, image: Arrival) -> Rows:
        """Replace sources that have several extractions by one source for each.

        A child is born in this image with the averages of its parent and its own
        point; it inherits the parent's regions and newsource row.
        """
        parents, new = pairs.source, image.points.at(pairs.row)
        if len(parents) == 0:
            return no_rows(MATCH)
        old = self.running.averages_of(parents)
        averages = continued(old, new, across=image.across)
        children = self.running.add(averages, image.taustart_us, image.number)
        self.regions.inherit(children, parents)
        self._newsources.inherit(children, parents)
        self.running.remove(parents)
        return _matches(SPLIT_OFF, children, parents, pairs)

    def _match(self, pairs: Pairs, image: Arrival) -> Rows:
        """Add one point to each source; several sources may share an extraction."""
        sources, new = pairs.source, image.points.at(pairs.row)
        old = self.running.averages_of(sources)
        averages = continued(old, new, across=image.across)
        self.running.update(sources, averages, image.number)
        return _matches(MATCHED, sources, sources, pairs)

    def _found(self, unpaired: Integers, image: Arrival) -> Rows:
        """Let extractions without any pair found sources, and see which are new."""
        if len(unpaired) == 0:
            return no_rows(MATCH)
        averages = begun(image.points.at(unpaired))
        sources = self.running.add(averages, image.taustart_us, image.number)
        belongs = self.regions.add(sources, averages.vectors, image.region)
        new = self.limits.judge(image.band, belongs, image.f_peak[unpaired])
        self._newsources.add(new, sources)
        zeros = np.zeros(len(unpaired))
        return _matches(NEW, sources, sources, Pairs(sources, unpaired, zeros, zeros))

    def sources(self, frequencyband: Rows) -> Sources:
        """Return all of it as it stands."""
        alive = self.running.alive.copy()
        return Sources(
            runcat=self.running.rows(),
            alive=alive,
            skyregion=self.regions.rows(),
            region_step=self.regions.steps(),
            frequencyband=frequencyband,
            assocskyrgn=self.regions.links(alive),
            newsource=self._newsources.rows(alive),
        )


def _chosen(pairs: Pairs, mask: Mask) -> Pairs:
    places = np.flatnonzero(mask)
    source, row, r, distance = pairs
    return Pairs(source[places], row[places], r[places], distance[places])


def _matches(kind: int, sources: Integers, bases: Integers, pairs: Pairs) -> Rows:
    matches = np.empty(len(sources), MATCH)
    matches["source"], matches["base"], matches["row"] = sources, bases, pairs.row
    matches["type"] = kind
    matches["distance_arcsec"], matches["r"] = pairs.distance_arcsec, pairs.r
    return matches
