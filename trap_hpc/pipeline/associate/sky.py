"""The running catalogue, its regions and new sources, and how an image changes it."""

from __future__ import annotations

import numpy as np

from trap_hpc.pipeline.associate.averages import begun, continued
from trap_hpc.pipeline.associate.geometry import Mask
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
from trap_hpc.pipeline.records import Integers, Rows, concatenated, no_rows


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
        running, rows = self.running, placed.image.blind
        across = self.regions.lies_across_meridian(placed.region)
        pairs = find_pairs(running.averages, running.alive, rows, limits, across=across)
        fates = decide(pairs, len(rows))
        matches = [
            self._split(_chosen(pairs, fates.splitting), placed, number, across=across),
            self._match(_chosen(pairs, fates.matching), placed, number, across=across),
            self._found(fates.unpaired, placed, number),
        ]
        return concatenated(matches, MATCH)

    def _split(
        self, pairs: Pairs, placed: StepImage, number: int, *, across: bool
    ) -> Rows:
        """Replace sources that have several extractions by one source for each.

        A child is born in this image with the averages of its parent and its own
        point; it inherits the parent's regions and newsource row.
        """
        rows, parents = placed.image.blind[pairs.row], pairs.source
        if len(rows) == 0:
            return _matches(SPLIT_OFF, parents, parents, pairs)
        averages = continued(self.running.averages_of(parents), rows, across=across)
        time = placed.image.header.taustart_us
        children = self.running.add(averages, time, number)
        self.regions.inherit(children, parents)
        self._newsources.inherit(children, parents)
        self.running.remove(parents)
        return _matches(SPLIT_OFF, children, parents, pairs)

    def _match(
        self, pairs: Pairs, placed: StepImage, number: int, *, across: bool
    ) -> Rows:
        """Add one point to each source; several sources may share an extraction."""
        rows, sources = placed.image.blind[pairs.row], pairs.source
        averages = continued(self.running.averages_of(sources), rows, across=across)
        self.running.update(sources, averages, number)
        return _matches(MATCHED, sources, sources, pairs)

    def _found(self, unpaired: Integers, placed: StepImage, number: int) -> Rows:
        """Let extractions without any pair found sources, and see which are new."""
        if len(unpaired) == 0:
            return no_rows(MATCH)
        rows = placed.image.blind[unpaired]
        averages = begun(rows)
        time = placed.image.header.taustart_us
        sources = self.running.add(averages, time, number)
        belongs = self.regions.add(sources, averages.vectors, placed.region)
        new = self.limits.judge(placed.band, belongs, rows["f_peak"])
        self._newsources.add(new, sources)
        zeros = np.zeros(len(rows))
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
    source, row, r, distance = pairs
    return Pairs(source[mask], row[mask], r[mask], distance[mask])


def _matches(kind: int, sources: Integers, bases: Integers, pairs: Pairs) -> Rows:
    matches = np.empty(len(sources), MATCH)
    matches["source"], matches["base"], matches["row"] = sources, bases, pairs.row
    matches["type"] = kind
    matches["distance_arcsec"], matches["r"] = pairs.distance_arcsec, pairs.r
    return matches
