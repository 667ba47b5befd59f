"""How much is in a catalogue: what the closing lines of a run say."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from trap_hpc.catalogue import queries
from trap_hpc.catalogue.database import plain_errors
from trap_hpc.catalogue.opened import opened
from trap_hpc.catalogue.schema import (
    IMAGE,
    NEWSOURCE,
    REJECTION,
    REJECTREASON,
    RUNNINGCATALOG,
)
from trap_hpc.pipeline.records import Refusal

USED_ALL_THE_SAME = "note"
"""The kind of a refusal that is none: the image is used, but somebody should look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What a finished catalogue holds."""

    images: int
    """All images, those that could not be used included."""
    associated: int
    rejections: tuple[tuple[str, str], ...]
    """Address of the image and what the quality check says of it."""
    refusals: tuple[Refusal, ...]
    sources: int
    candidates: int
    likely: int


def counts(run: Path) -> Counts:
    """Count what is in the catalogue of a run.

    Raises
    ------
    UsageError
        There is no catalogue.
    CatalogueError
        It can't be read.
    """
    catalogue = opened(run)
    try:
        with plain_errors(catalogue.place):
            return _counted(catalogue.connection, catalogue.dataset)
    finally:
        catalogue.close()


def _counted(connection: sa.Connection, dataset: int) -> Counts:
    def count(table: sa.FromClause, *only: sa.ColumnElement[bool]) -> int:
        query = sa.select(sa.func.count()).select_from(table).where(*only)
        return int(connection.execute(query).scalar_one())

    image = IMAGE.c.dataset == dataset
    runcat = RUNNINGCATALOG.c.dataset == dataset
    new = NEWSOURCE.join(RUNNINGCATALOG, RUNNINGCATALOG.c.id == NEWSOURCE.c.runcat)
    rejections = _rejections(connection, image)
    refusals = tuple(
        Refusal(address=row.url, kind=row.kind, reason=row.reason)
        for row in connection.execute(queries.refusals(dataset))
    )
    unused = sum(r.kind != USED_ALL_THE_SAME for r in refusals)
    images = count(IMAGE, image)
    return Counts(
        images=images + unused,
        associated=images - len(rejections),
        rejections=rejections,
        refusals=refusals,
        sources=count(RUNNINGCATALOG, runcat),
        candidates=count(new, runcat),
        likely=count(new, runcat, NEWSOURCE.c.newsource_type == 1),
    )


def _rejections(
    connection: sa.Connection, image: sa.ColumnElement[bool]
) -> tuple[tuple[str, str], ...]:
    join = IMAGE.join(REJECTION, REJECTION.c.image == IMAGE.c.id).join(
        REJECTREASON, REJECTREASON.c.id == REJECTION.c.rejectreason
    )
    query: sa.Select[Any] = (
        sa.select(IMAGE.c.url, REJECTREASON.c.description, REJECTION.c.comment)
        .select_from(join)
        .where(image)
        .order_by(IMAGE.c.taustart_ts, IMAGE.c.id)
    )
    return tuple(
        (row.url, ": ".join(filter(None, (row.description, row.comment))))
        for row in connection.execute(query)
    )
