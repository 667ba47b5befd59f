"""The order of the images in time, and which of them have come in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, islice

from trap_hpc.pipeline.records import MeasuredImage, Refusal
from trap_hpc.run.ledger import KnownImage


class Timeline:
    """Time steps, handed out in order as soon as all their images are in."""

    def __init__(self, images: Iterable[KnownImage]) -> None:
        """``images`` are all images of the run; those with a batch are in."""
        ordered = sorted(images, key=lambda image: (image.taustart_us, image.address))
        grouped = groupby(ordered, key=lambda image: image.taustart_us)
        self._steps = [[image.id for image in group] for _, group in grouped]
        self._missing = {image.id for image in ordered if image.batch is None}
        self._position = 0

    @property
    def complete(self) -> bool:
        """Every step has been handed out."""
        return self._position == len(self._steps)

    def arrived(self, image_ids: Iterable[int]) -> None:
        """Note that images are measured or refused."""
        self._missing.difference_update(image_ids)

    def lost(self, image_ids: Iterable[int]) -> set[int]:
        """Note what must be measured again; return what was not handed out before."""
        wanted, lost = set(image_ids), set[int]()
        # They are often the next ones, and the steps may be very many.
        for step in islice(self._steps, self._position, None):
            if lost >= wanted:
                break
            lost |= wanted.intersection(step)
        self._missing |= lost
        return lost

    def peek(self) -> Sequence[int] | None:
        """Return the next step's images if all of them are in."""
        if self.complete or not self._missing.isdisjoint(self._steps[self._position]):
            return None
        return self._steps[self._position]

    def advance(self) -> None:
        """Go on to the step after the one that `peek` gives."""
        self._position += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembled:
    """A time step in canonical order, and what there is to say of it."""

    ids: Sequence[int]
    images: Sequence[MeasuredImage]
    notes: Sequence[Refusal]


def assemble(images: Iterable[tuple[int, MeasuredImage]]) -> Assembled:
    """Put the images of one time into canonical order, each content once.

    The order is frequency, sky region, content: it does not depend on file names, nor
    on the order in which images came in.
    """
    kept: list[tuple[int, MeasuredImage]] = []
    notes = []
    for image_id, image in sorted(images, key=lambda pair: _canonical(pair[1])):
        before = kept[-1][1] if kept else None
        if before and before.content == image.content:
            reason = f"same content as {before.header.address}, which is used"
            notes.append(_note(image, "duplicate", reason))
            continue
        if before and _both_used(before, image) and _place(before) == _place(image):
            reason = (
                f"same time, frequency and field as {before.header.address}, "
                "but other pixels: both are used"
            )
            notes.append(_note(image, "note", reason))
        kept.append((image_id, image))
    ids, measured = [pair[0] for pair in kept], [pair[1] for pair in kept]
    return Assembled(ids=ids, images=measured, notes=notes)


def _both_used(one: MeasuredImage, other: MeasuredImage) -> bool:
    return one.rejection is None and other.rejection is None


def _place(image: MeasuredImage) -> tuple[float, float, float]:
    header = image.header
    return header.freq_eff_hz, header.centre_ra_deg, header.centre_decl_deg


def _canonical(image: MeasuredImage) -> tuple[float, float, float, str, str]:
    return (*_place(image), image.content, image.header.address)


def _note(image: MeasuredImage, kind: str, reason: str) -> Refusal:
    return Refusal(address=image.header.address, kind=kind, reason=reason)
