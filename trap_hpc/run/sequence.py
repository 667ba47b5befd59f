"""The part of a run that goes in the order of time: association and light curves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from trap_hpc.errors import MeasurementError
from trap_hpc.pipeline.records import (
    FinalTables,
    ForcedImage,
    MeasuredImage,
    StepRows,
)
from trap_hpc.run.findings import Findings
from trap_hpc.run.ledger import KnownImage, Ledger
from trap_hpc.run.timeline import Assembled, Timeline, assemble
from trap_hpc.run.window import Window

AHEAD_IMAGES, AHEAD_EXTRACTIONS = 2000, 500_000
"""How far association may run ahead of the light curves: bounds the memory."""


class Sequencer:
    """Takes images as they come in, and hands out time steps when they are final."""

    def __init__(
        self,
        images: Mapping[int, KnownImage],
        ledger: Ledger,
        findings: Findings,
        window: Window,
        measure_again: Callable[[Sequence[KnownImage], str], None],
    ) -> None:
        """``images`` is the driver's own table, which grows and changes.

        ``measure_again`` is told of images whose findings can't be read, and why.
        """
        self._images = images
        self._ledger = ledger
        self._findings = findings
        self._window = window
        self._measure_again = measure_again
        self._forced = ledger.forced_batches()
        self._lost = ledger.refused_in("force")
        self._timeline: Timeline | None = None
        self._by_batch: dict[int | None, list[int]] = {}
        self.duplicates = 0
        """Images whose content is that of another one."""

    @property
    def complete(self) -> bool:
        """Every image is in a time step that was handed out."""
        timeline = self._timeline
        return timeline is not None and timeline.complete and not len(self._window)

    @property
    def ahead(self) -> float:
        """How far association is ahead of the light curves; 1 is as far as it may."""
        extractions = self._window.extractions / AHEAD_EXTRACTIONS
        return max(len(self._window) / AHEAD_IMAGES, extractions)

    def all_scanned(self) -> None:
        """Begin: from now on it is known which images there are."""
        self._timeline = Timeline(self._ledger.images())

    def arrived(self, image_ids: Sequence[int]) -> None:
        """Note that images are measured or refused."""
        if self._timeline:
            self._timeline.arrived(image_ids)

    def final_steps(self) -> Iterator[StepRows | None]:
        """Associate what is in; yield the time steps that have become final.

        None is yielded after each association: who has other things to do may leave
        whenever something is yielded, and come again.
        """
        yield from self._window.settle()
        while self._associate_next():
            yield None
            yield from self._window.settle()

    def final_tables(self) -> FinalTables:
        """Return the tables that are known once all steps are handed out."""
        return self._window.final()

    def _associate_next(self) -> bool:
        if not self._timeline or self.ahead >= 1:
            return False
        ids = self._timeline.peek()
        step = self._assembled(ids) if ids else None
        if not ids or not step:
            return False
        self._timeline.advance()
        self._ledger.refuse("associate", step.notes)
        self.duplicates += sum(note.kind == "duplicate" for note in step.notes)
        if step.images:
            self._window.push(step.ids, step.images, self._known_fits)
        self._forget(ids)
        return True

    def _forget(self, ids: Sequence[int]) -> None:
        """Let go of findings that are with the window by now, and not here any more."""
        for image in (self._images[i] for i in ids):
            if image.batch is not None:
                self._findings.drop(image.batch, image.address)

    def _assembled(self, ids: Sequence[int]) -> Assembled | None:
        """Return a time step; None if an image has to be measured again."""
        images = []
        for image in (self._images[i] for i in ids):
            if image.refused:
                continue
            measured = self._measured(image)
            if measured is None:
                return None
            images.append((image.id, measured))
        return assemble(images)

    def _measured(self, image: KnownImage) -> MeasuredImage | None:
        assert image.batch is not None
        try:
            measured = self._findings.get(image.batch, image.address)
        except MeasurementError as error:
            self._lose(image.batch, str(error))
            return None
        assert isinstance(measured, MeasuredImage)
        return measured

    def _lose(self, batch: int, why: str) -> None:
        """Let all images of a batch be measured again that are still needed."""
        assert self._timeline is not None
        ids = self._images_of(batch)
        lost = self._timeline.lost(ids)
        self._measure_again([self._images[i] for i in ids if i in lost], why)

    def _images_of(self, batch: int) -> Sequence[int]:
        """Return the images that were measured by ``batch``, and not refused."""
        if batch not in self._by_batch:  # there may be very many images
            self._by_batch = {}
            for image in self._images.values():
                self._by_batch.setdefault(image.batch, []).append(image.id)
        known = (self._images[i] for i in self._by_batch[batch])
        return [i.id for i in known if i.batch == batch and not i.refused]

    def _known_fits(self, image_id: int) -> Sequence[ForcedImage | None]:
        """Return the forced fits that an earlier session has made in an image.

        An image that it lost stays lost: what is in the catalogue must not change.
        """
        address = self._images[image_id].address
        if address in self._lost:
            return [None]
        fits = []
        for batch in self._forced.pop(image_id, []):
            try:
                finding = self._findings.get(batch, address)
            except MeasurementError:
                continue  # they are made again
            if isinstance(finding, ForcedImage):
                fits.append(finding)
            self._findings.drop(batch, address)
        return fits
