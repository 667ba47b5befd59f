"""Steps B and D again on extractions that exist, without pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from trap_hpc.catalogue.extraction_tables import ExtractionTables
from trap_hpc.config.parameters import JobParameters
from trap_hpc.pipeline.records import FinalTables, StepRows


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
    raise NotImplementedError
