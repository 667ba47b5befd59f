"""The time steps between association and light curves.

B (`Associator`) runs ahead in time order and says which forced fits each image will
owe if all go well, so that workers can start on them at once. D (`LightCurves`) follows
and takes a time step only when every fit that it really owes is known. When a fit fails
its source must be asked for again, later than B thought: those requests are sent from
here, for more and more images at a time, and what turns out not to be owed is dropped.
So the result is that of the sequential order, however far B is ahead.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from trap_hpc.config.parameters import JobParameters
from trap_hpc.pipeline.associate import Associator, TimeStep
from trap_hpc.pipeline.lightcurves import LightCurves
from trap_hpc.pipeline.records import (
    EXTRACTED,
    FinalTables,
    ForcedImage,
    MeasuredImage,
    Rows,
    StepRows,
)
from trap_hpc.pipeline.tasks import Item

FIRST_REACH = 4
"""Images to ask ahead for, the first time that a source's fit has failed."""

Ask = Callable[[int, Item], None]
"""Takes an image's id, and what is wanted of it."""


@dataclass(slots=True)
class _Image:
    """An image in the window and its forced fits so far."""

    id: int
    measured: MeasuredImage
    candidates: Rows
    asked: set[int] = field(default_factory=set)
    fits: dict[int, np.void] = field(default_factory=dict)
    lost: bool = False
    """It can't be read any more: every fit in it has failed."""

    def answer(self, forced: ForcedImage | None) -> None:
        self.lost = self.lost or forced is None
        if forced is None or self.lost:
            self.fits.clear()
            return
        self.fits.update(
            zip(forced.requests["target"].tolist(), forced.fits, strict=True)
        )
        self.asked.update(self.fits)

    def knows(self, target: int) -> bool:
        return self.lost or target in self.fits

    def rows(self, owed: Rows) -> Rows:
        """Return the fits that are owed, NaN for those that failed."""
        rows = np.full(len(owed), np.nan, EXTRACTED)
        for n, target in enumerate(owed["target"].tolist()):
            if target in self.fits:
                rows[n] = self.fits[target]
        return rows


@dataclass(slots=True)
class _Entry:
    step: TimeStep
    images: list[_Image]


class Window:
    """Feeds B, knows what C owes, feeds D."""

    def __init__(
        self,
        parameters: JobParameters,
        monitor: Sequence[tuple[float, float]],
        ask: Ask,
    ) -> None:
        self._front = Associator(parameters, monitor)
        self._back = LightCurves(parameters, monitor)
        self._ask = ask
        self._entries: deque[_Entry] = deque()
        self._by_id: dict[int, _Image] = {}
        self._reach: dict[int, int] = {}
        self._owed: list[Rows] | None = None
        self.extractions = 0
        """Blind extractions between B and D."""

    def __contains__(self, image_id: int) -> bool:
        """Whether an image is between B and D."""
        return image_id in self._by_id

    def __len__(self) -> int:
        """Count the images between B and D."""
        return len(self._by_id)

    def push(
        self,
        ids: Sequence[int],
        measured: Sequence[MeasuredImage],
        known: Callable[[int], Sequence[ForcedImage | None]],
    ) -> None:
        """Associate the next time step; ask for the forced fits that it will owe.

        ``measured`` is in canonical order, ``ids`` are the ledger's. ``known`` gives
        the fits that an earlier session has made in an image, None among them if it
        lost the image.
        """
        step = self._front.step(measured)
        images = []
        for image_id, record in zip(ids, step.images, strict=True):
            image = _Image(image_id, record.image, record.candidates)
            for forced in known(image_id):
                image.answer(forced)
            images.append(image)
            self._by_id[image_id] = image
            self._request(image, record.requests)
        self._entries.append(_Entry(step, images))
        self.extractions += sum(len(image.blind) for image in measured)

    def answer(self, image_id: int, forced: ForcedImage | None) -> None:
        """Take an image's forced fits; None says that it can't be read any more.

        A lost image has no forced fits at all, so that it does not matter when it was
        lost.
        """
        if image_id in self._by_id:
            self._by_id[image_id].answer(forced)

    def settle(self) -> Iterator[StepRows]:
        """Yield the time steps that have become final, in order."""
        while self._entries:
            entry = self._entries[0]
            if self._owed is None:
                self._owed = self._back.owed(entry.step)
            if not self._complete(entry, self._owed):
                return
            fits = [i.rows(o) for i, o in zip(entry.images, self._owed, strict=True)]
            rows = self._back.step(entry.step, fits)
            self._owed = None
            self._entries.popleft()
            self._drop(entry)
            yield rows

    def _drop(self, entry: _Entry) -> None:
        for image in entry.images:
            del self._by_id[image.id]
        self.extractions -= sum(len(i.image.blind) for i in entry.step.images)

    def final(self) -> FinalTables:
        """Return the tables that are known once the last step is settled."""
        return self._back.final(self._front.sources())

    def _complete(self, entry: _Entry, owed: list[Rows]) -> bool:
        complete = True
        for image, requests in zip(entry.images, owed, strict=True):
            targets = requests["target"].tolist()
            missing = [t for t in targets if not image.knows(t)]
            complete = complete and not missing
            unasked = [t for t in missing if t not in image.asked]
            if unasked:
                self._ask_ahead(unasked)
        return complete

    def _ask_ahead(self, targets: Sequence[int]) -> None:
        """Ask for ``targets`` in the next images, twice as many each time."""
        for target in targets:
            self._reach[target] = 2 * self._reach.get(target, FIRST_REACH // 2)
        left = {target: self._reach[target] for target in targets}
        for image in self._by_id.values():
            if not left:
                return
            wanted = [t in left for t in image.candidates["target"].tolist()]
            requests = image.candidates[np.array(wanted, bool)]
            self._request(image, requests)
            for target in requests["target"].tolist():
                left[target] -= 1
                if not left[target]:
                    del left[target]

    def _request(self, image: _Image, requests: Rows) -> None:
        if image.lost:
            return
        known = [t in image.asked for t in requests["target"].tolist()]
        new = requests[~np.array(known, bool)]
        if len(new):
            image.asked.update(new["target"].tolist())
            address, content = image.measured.header.address, image.measured.content
            item = Item(address=address, requests=new, content=content)
            self._ask(image.id, item)
