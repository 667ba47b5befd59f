"""A finished table of extractions, whoever made it, as association wants it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from trap_hpc.config.parameters import JobParameters
from trap_hpc.pipeline.records import Integers, MeasuredImage, Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """The forced fits that an image has: EXTRACTED rows, with their ids in the table.

    ``kind`` is TraP's extract_type: 1 a null detection, 2 a monitored position.
    """

    rows: Rows
    ids: Integers
    kind: Integers


@dataclass(frozen=True, slots=True, kw_only=True)
class TableImage:
    """An image of the table, its blind extractions and its forced fits."""

    id: int
    image: MeasuredImage
    """With the rejection that the table gives, whatever check it was from."""
    blind_ids: Integers
    answers: Answers


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractionTables:
    """All of a table: images in canonical order within ascending time."""

    images: tuple[TableImage, ...]
    monitor: tuple[tuple[float, float], ...] = ()
    """Monitored positions, (ra, decl) in degrees."""
    parameters: JobParameters | None = None
    """The table's own, where it has them."""
    knows_rejections: bool = True
    """False where the table doesn't say which images were refused; then the history
    check is run."""

    def steps(self) -> Iterator[tuple[TableImage, ...]]:
        """Yield the images of each time step, in order."""
        for _, images in groupby(self.images, lambda i: i.image.header.taustart_us):
            yield tuple(images)
