"""Step B as one machine: time steps go in, in order, associated ones come out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import isnan

import numpy as np

from trap_hpc.config.parameters import JobParameters
from trap_hpc.pipeline.associate.bands import Bands
from trap_hpc.pipeline.associate.geometry import Mask
from trap_hpc.pipeline.associate.growing import end_to_end
from trap_hpc.pipeline.associate.history import NoiseHistory
from trap_hpc.pipeline.associate.pairs import Limits
from trap_hpc.pipeline.associate.sky import Sky
from trap_hpc.pipeline.associate.steps import MATCH, Sources, StepImage, TimeStep
from trap_hpc.pipeline.records import (
    REQUEST,
    Header,
    MeasuredImage,
    Rows,
    no_rows,
)


class Associator:
    """Blind association, which needs no forced fits, so it may run far ahead of them.

    Parameters
    ----------
    parameters
        The job's parameters.
    monitor
        Monitored positions, (ra, decl) in degrees.
    check_history
        Whether images are refused by the noise of the latest images of their band.
        Off for tables that say themselves which images were refused.
    """

    def __init__(
        self,
        parameters: JobParameters,
        monitor: Sequence[tuple[float, float]] = (),
        *,
        check_history: bool = True,
    ) -> None:
        extraction, search = parameters.source_extraction, parameters.transient_search
        self._parameters = parameters
        self._bands = Bands(parameters.persistence.bandwidth_max)
        self._history = NoiseHistory(parameters.quality) if check_history else None
        self._sky = Sky(extraction.detection_threshold + search.new_source_sigma_margin)
        self._monitor = _monitor_requests(monitor)
        self._steps = 0
        self._images = 0

    def step(self, images: Sequence[MeasuredImage]) -> TimeStep:
        """Associate all images of one time, given in canonical order.

        As in TraP all of them first get their bands and regions and enter the history
        of the noise, refused ones too; then each is associated and its null detections
        are found where the sources are at that moment. A null detection whose source a
        later image of the same time replaces is dropped: TraP fails there.
        """
        placed = [self._placed(image) for image in images]
        checked = [self._checked(image) for image in placed]
        done = [
            self._associated(image, number)
            for number, image in enumerate(checked, self._images)
        ]
        done = [self._without_replaced(image) for image in done]
        self._remember(done)
        return TimeStep(taustart_us=images[0].header.taustart_us, images=tuple(done))

    def sources(self) -> Sources:
        """Return the running catalogue as it stands, for ``LightCurves.final``."""
        return self._sky.sources(self._bands.rows())

    def _placed(self, image: MeasuredImage) -> StepImage:
        """Give an image its band and its region."""
        band = self._bands.find(image.header)
        if self._history:
            self._history.record(band, image.rms_qc)
        return StepImage(
            image=image,
            rejection=image.rejection,
            band=band,
            region=self._region(image.header),
            matches=no_rows(MATCH),
            candidates=no_rows(REQUEST),
            expected=np.zeros(0, bool),
        )

    def _region(self, header: Header) -> int:
        """Return the id of the circle within which sources are extracted."""
        radius_pix = self._parameters.source_extraction.extraction_radius_pix
        radius_deg = radius_pix * abs(header.deltax_deg)
        circle = header.centre_ra_deg % 360.0, header.centre_decl_deg, radius_deg
        return self._sky.regions.find(circle, self._sky.running, self._steps)

    def _checked(self, placed: StepImage) -> StepImage:
        if placed.rejection or not self._history:
            return placed
        rejection = self._history.check(placed.band, placed.image.rms_qc)
        return replace(placed, rejection=rejection)

    def _associated(self, placed: StepImage, number: int) -> StepImage:
        if placed.rejection:
            return placed
        association = self._parameters.association
        beam_deg = placed.image.header.rb_smaj_deg
        limits = Limits(
            association.beamwidths_limit * beam_deg, association.deruiter_radius
        )
        matches = self._sky.associate(placed, number, limits)
        candidates, expected = self._null_detections(placed, number)
        return replace(
            placed,
            matches=matches,
            candidates=end_to_end([candidates, self._monitor], REQUEST),
            expected=np.append(expected, np.ones(len(self._monitor), bool)),
        )

    def _null_detections(self, placed: StepImage, number: int) -> tuple[Rows, Mask]:
        """Return requests for the sources of the region that the image doesn't show.

        They were first seen at an earlier time. The mask tells which have not expired,
        if all fits so far succeeded.
        """
        running = self._sky.running
        members = self._sky.regions.members(placed.region)
        sources = running.unseen(members, placed.image.header.taustart_us, number)
        averages = running.averages_of(sources)
        requests = np.empty(len(sources), REQUEST)
        requests["target"] = sources
        requests["ra"], requests["decl"] = averages.wm_ra, averages.wm_decl
        expiration = self._parameters.source_extraction.expiration
        return requests, running.forced_fits(sources) < expiration

    def _without_replaced(self, done: StepImage) -> StepImage:
        """Drop null detections of sources that were replaced later in the time step."""
        target = done.candidates["target"]
        kept = target < 0
        kept[~kept] = self._sky.running.alive[target[~kept]]
        if kept.all():
            return done
        return replace(
            done, candidates=done.candidates[kept], expected=done.expected[kept]
        )

    def _remember(self, done: Sequence[StepImage]) -> None:
        """Take note of what later time steps look back on."""
        for number, placed in enumerate(done, self._images):
            target = placed.requests["target"]
            self._sky.running.count_forced_fits(target[target >= 0])
            rms_min, rms_max = placed.image.rms_min, placed.image.rms_max
            if not (placed.rejection or isnan(rms_min)):
                limits = self._sky.limits
                limits.record(placed.band, placed.region, number, rms_min, rms_max)
        self._images += len(done)
        self._steps += 1


def _monitor_requests(monitor: Sequence[tuple[float, float]]) -> Rows:
    rows = np.empty(len(monitor), REQUEST)
    for index, (ra, decl) in enumerate(monitor):
        rows[index] = (-1 - index, ra, decl)
    return rows
