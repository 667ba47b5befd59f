"""Step D as one machine: associated time steps and their forced fits go in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trap_hpc.config.parameters import JobParameters
from trap_hpc.pipeline.associate.geometry import Mask
from trap_hpc.pipeline.associate.growing import Growing
from trap_hpc.pipeline.associate.steps import (
    MATCHED,
    MONITOR_KNOWN,
    MONITOR_NEW,
    NULL_DETECTION,
    SPLIT_OFF,
    Sources,
    StepImage,
    TimeStep,
)
from trap_hpc.pipeline.lightcurves.final import final_tables
from trap_hpc.pipeline.lightcurves.fluxes import FluxAverages, Variability, products_of
from trap_hpc.pipeline.lightcurves.monitoring import Monitoring
from trap_hpc.pipeline.lightcurves.names import Ids, Names
from trap_hpc.pipeline.lightcurves.parts import (
    BLIND,
    FORCED,
    MONITORED,
    Fits,
    Part,
    joined,
    points,
    successful,
)
from trap_hpc.pipeline.records import (
    EXTRACTED,
    SPLIT,
    FinalTables,
    ImageRow,
    Integers,
    Rows,
    StepRows,
    no_rows,
)


class LightCurves:
    """Fluxes of all sources, and the true count of forced fits.

    For each time step in order: ``owed`` says which fits it owes given what really
    succeeded before, then ``step`` takes them.
    """

    def __init__(
        self, parameters: JobParameters, monitor: Sequence[tuple[float, float]] = ()
    ) -> None:
        self._expiration = parameters.source_extraction.expiration
        self._fluxes = FluxAverages()
        self._forced_fits = Growing(np.int64)
        self._monitoring = Monitoring(tuple(monitor))
        self._names = Names()
        self._splits: list[Rows] = []
        self._steps = 0

    def owed(self, step: TimeStep) -> list[Rows]:
        """REQUEST rows, by image, that the next time step really owes.

        A source is asked for while it had fewer successful fits than TraP's
        ``expiration``, in whatever band, since it was last seen. Fits of the same time
        step don't count yet; that an earlier image of it saw the source does.
        """
        births = sum(np.count_nonzero(_births(image.matches)) for image in step.images)
        counts = np.append(self._forced_fits.values, np.zeros(births, np.int64))
        owed = []
        for image in step.images:
            counts[image.matches["source"]] = 0
            target = image.candidates["target"]
            wanted = target < 0
            wanted[~wanted] = counts[target[~wanted]] < self._expiration
            owed.append(image.candidates[wanted])
        return owed

    def step(
        self, step: TimeStep, fits: Sequence[Rows], ids: Ids | None = None
    ) -> StepRows:
        """Take a time step with its fits: EXTRACTED rows, aligned with ``owed``.

        Where a fit failed f_peak is NaN; a fit without finite errors has failed too.
        Without ``ids``, images and extractions are counted from 1 in order: of a time
        step first all blind extractions, then all fits.
        """
        requests = self.owed(step)
        image_ids = self._names.add_images(len(step.images), ids).tolist()
        numbered = list(zip(image_ids, step.images, strict=True))
        parts = []
        for index, (image_id, image) in enumerate(numbered):
            blind_ids = ids.blind[index] if ids else None
            parts.append(self._blind(image_id, image, blind_ids))
        for index, (image_id, image) in enumerate(numbered):
            fit_ids = ids.forced[index] if ids else None
            done = successful(requests[index], fits[index], fit_ids)
            if len(done.target):
                parts += self._forced(image_id, image, done)
        self._steps += 1
        return joined(step.taustart_us, [_image_row(*pair) for pair in numbered], parts)

    def final(self, sources: Sources) -> FinalTables:
        """Return the tables that are known at the end: ``Associator.sources()``."""
        return final_tables(
            sources,
            self._names,
            self._forced_fits.values,
            self._fluxes,
            self._monitoring,
            self._splits,
        )

    def _blind(self, image_id: int, image: StepImage, ids: Integers | None) -> Part:
        """Take an image's blind extractions and what association made of them."""
        rows = no_rows(EXTRACTED) if image.rejection else image.image.blind
        ids = self._names.extractions.next(len(rows)) if ids is None else ids
        matches = image.matches
        self._bear(matches, ids)
        source, row = matches["source"], matches["row"]
        products = products_of(rows)[:, row]
        found = self._fluxes.update(image.band, matches["base"], source, products)
        new = self._points(self._names.runcat.values[source], ids[row], found)
        for name in ("type", "distance_arcsec", "r"):
            new[name] = matches[name]
        none = np.zeros(len(rows), np.int64)
        return Part(
            image=image_id, kind=BLIND, rows=rows, ids=ids, owners=none, points=new
        )

    def _bear(self, matches: Rows, ids: Integers) -> None:
        """Name the sources born in an image; all that it saw begin to count anew."""
        born, split = _births(matches), matches["type"] == SPLIT_OFF
        self._names.add_sources(ids[matches["row"][born]])
        self._forced_fits.grow(len(self._names.runcat))
        self._forced_fits.values[matches["source"]] = 0
        if split.any():
            rows = np.empty(np.count_nonzero(split), SPLIT)
            runcat = self._names.runcat.values
            rows["parent"] = runcat[matches["base"][split]]
            rows["child"] = runcat[matches["source"][split]]
            self._splits.append(rows)

    def _forced(self, image_id: int, image: StepImage, fits: Fits) -> list[Part]:
        known = fits.target >= 0
        return [
            self._null_detections(image_id, image, fits.where(known)),
            self._monitored(image_id, image, fits.where(~known)),
        ]

    def _null_detections(self, image_id: int, image: StepImage, fits: Fits) -> Part:
        """Add a point to sources that an image should show and doesn't."""
        ids = self._extraction_ids(fits)
        products = products_of(fits.rows)
        found = self._fluxes.update(image.band, fits.target, fits.target, products)
        self._forced_fits.values[fits.target] += 1
        runcat = self._names.runcat.values[fits.target]
        new = self._points(runcat, ids, found)
        new["type"] = NULL_DETECTION
        return Part(
            image=image_id,
            kind=FORCED,
            rows=fits.rows,
            ids=ids,
            owners=runcat,
            points=new,
        )

    def _monitored(self, image_id: int, image: StepImage, fits: Fits) -> Part:
        """Add a point to monitored positions; the first makes a source of each."""
        ids, monitor = self._extraction_ids(fits), -1 - fits.target
        first = self._monitoring.ids[monitor] == 0
        runcats = self._names.runcats.next(int(first.sum()))
        self._monitoring.begin(
            monitor[first], runcats, ids[first], fits.rows[first], self._steps
        )
        found = self._monitoring.update(image.band, monitor, fits.rows)
        new = self._points(self._monitoring.ids[monitor], ids, found)
        new["type"] = np.where(first, MONITOR_NEW, MONITOR_KNOWN)
        return Part(
            image=image_id,
            kind=MONITORED,
            rows=fits.rows,
            ids=ids,
            owners=monitor + 1,
            points=new,
        )

    def _extraction_ids(self, fits: Fits) -> Integers:
        if fits.ids is None:
            return self._names.extractions.next(len(fits.rows))
        return fits.ids

    def _points(self, runcat: Integers, xtrsrc: Integers, found: Variability) -> Rows:
        return points(self._names.points.next(len(runcat)), runcat, xtrsrc, found)


def _births(matches: Rows) -> Mask:
    born: Mask = matches["type"] != MATCHED
    return born


def _image_row(image_id: int, image: StepImage) -> ImageRow:
    return ImageRow(
        id=image_id,
        band=image.band,
        skyrgn=image.region,
        image=image.image,
        rejection=image.rejection,
    )
