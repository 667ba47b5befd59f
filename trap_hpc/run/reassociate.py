"""Steps B and D again on extractions that exist, without pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from trap_hpc.catalogue.extraction_tables import Answers, ExtractionTables, TableImage
from trap_hpc.config.parameters import JobParameters
from trap_hpc.pipeline.associate import Associator, StepImage
from trap_hpc.pipeline.associate.geometry import DEGREE, separation, unit_vectors
from trap_hpc.pipeline.associate.neighbours import neighbours
from trap_hpc.pipeline.lightcurves import Ids, LightCurves
from trap_hpc.pipeline.lightcurves.parts import MONITORED
from trap_hpc.pipeline.records import EXTRACTED, FinalTables, Integers, Rows, StepRows

NEAR_DEG = 1e-6
"""An answer lies no further from its request."""


class Sink(Protocol):
    """What takes the catalogue's rows as they come."""

    def add_step(self, rows: StepRows, /) -> object:
        """Take what one time step adds."""

    def finish(self, tables: FinalTables, /) -> object:
        """Take the tables that are known at the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReassociationCounts:
    """What became of the table's rows."""

    images: int
    refused: int
    """Images that a quality check refused."""
    extractions: int
    """Blind ones, of images that were not refused."""
    forced_fits: int
    """Answers that a request asked for."""
    unanswered: int
    """Requests without an answer: they count as failed fits."""
    unasked: int
    """Answers without a request: they are dropped."""


def reassociate(
    tables: ExtractionTables, parameters: JobParameters, sink: Sink
) -> ReassociationCounts:
    """Associate the table's extractions anew and hand the catalogue's rows to ``sink``.

    A forced fit of the table answers a request of the same image and kind within
    1e-6 degrees. Ids of images and extractions are kept.
    """
    front = Associator(
        parameters, tables.monitor, check_history=not tables.knows_rejections
    )
    back = LightCurves(parameters, tables.monitor)
    counts = _Counts()
    for images in tables.steps():
        step = front.step([image.image for image in images])
        owed = back.owed(step)
        places = [
            matching_answers(requests, image.answers)
            for requests, image in zip(owed, images, strict=True)
        ]
        counts.add(step.images, images, places)
        sink.add_step(back.step(step, *_fits_and_ids(step.images, images, places)))
    sink.finish(back.final(front.sources()))
    return counts.result()


def matching_answers(requests: Rows, answers: Answers) -> Integers:
    """Return by request the place of its answer, -1 without one.

    The nearest pair goes first, and an answer is used once. A null detection is
    answered by a forced fit of a null detection, a monitored position by one of that.
    """
    places = np.full(len(requests), -1)
    request, answer, apart = _near_pairs(requests, answers)
    used: set[int] = set()
    for n in np.lexsort((answer, request, apart)).tolist():
        if places[request[n]] < 0 and int(answer[n]) not in used:
            places[request[n]] = answer[n]
            used.add(int(answer[n]))
    return places


def _near_pairs(
    requests: Rows, answers: Answers
) -> tuple[Integers, Integers, npt.NDArray[np.float64]]:
    """Return pairs of the same kind that are near, and how far apart they are."""
    wanted = unit_vectors(requests["ra"], requests["decl"])
    given = unit_vectors(answers.rows["ra"], answers.rows["decl"])
    usable = np.ones(len(requests), bool)
    request, answer = neighbours(wanted, usable, given, NEAR_DEG * DEGREE)
    (x1, y1, z1), (x2, y2, z2) = wanted, given
    apart = separation(
        (x1[request], y1[request], z1[request]), (x2[answer], y2[answer], z2[answer])
    )
    monitored = answers.kind[answer] == MONITORED
    near = (apart <= NEAR_DEG) & (monitored == (requests["target"][request] < 0))
    return request[near], answer[near], apart[near]


def _fits_and_ids(
    done: Sequence[StepImage],
    images: Sequence[TableImage],
    places: Sequence[Integers],
) -> tuple[list[Rows], Ids]:
    """Return the answers in the order of the requests, NaN where there is none."""
    fits, forced = [], []
    for image, place in zip(images, places, strict=True):
        found = place >= 0
        rows = np.full(len(place), np.nan, EXTRACTED)
        rows[found] = image.answers.rows[place[found]]
        ids = np.zeros(len(place), np.int64)
        ids[found] = image.answers.ids[place[found]]
        fits.append(rows)
        forced.append(ids)
    blind = [
        image.blind_ids[:0] if placed.rejection else image.blind_ids
        for placed, image in zip(done, images, strict=True)
    ]
    return fits, Ids(images=[image.id for image in images], blind=blind, forced=forced)


class _Counts:
    """Adds up `ReassociationCounts`."""

    def __init__(self) -> None:
        self._sums = np.zeros(6, np.int64)

    def add(
        self,
        done: Sequence[StepImage],
        images: Sequence[TableImage],
        places: Sequence[Integers],
    ) -> None:
        for placed, image, place in zip(done, images, places, strict=True):
            refused = placed.rejection is not None
            blind = 0 if refused else len(image.blind_ids)
            used = int((place >= 0).sum())
            unasked = len(image.answers.ids) - used
            self._sums += [1, refused, blind, used, len(place) - used, unasked]

    def result(self) -> ReassociationCounts:
        images, refused, extractions, used, unanswered, unasked = self._sums.tolist()
        return ReassociationCounts(
            images=images,
            refused=refused,
            extractions=extractions,
            forced_fits=used,
            unanswered=unanswered,
            unasked=unasked,
        )
