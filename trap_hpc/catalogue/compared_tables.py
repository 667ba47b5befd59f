"""What of a catalogue has to be equal for two to be the same."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from trap_hpc.catalogue import schema

_NOT_LOOKED_AT = {
    *("id", "dataset", "node", "nodes"),
    "url",  # how an address was spelled
    "name",  # of a monitored position: a description
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A table, by what its rows are known in another catalogue, and what must agree."""

    table: sa.Table
    identity: tuple[str, ...]
    """Columns that say which thing a row is about."""
    order: tuple[str, ...] = ()
    """Columns that number the rows of one identity, where there are several."""
    mine: str
    """SQL: which rows belong to data set ``{dataset}``."""

    @property
    def name(self) -> str:
        """The table's name."""
        return self.table.name

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns whose values must agree."""
        names = [column.name for column in self.table.columns]
        return tuple(name for name in names if name not in _NOT_LOOKED_AT)

    def target(self, column: str) -> str | None:
        """Return the table that a column refers to."""
        if column not in self.table.columns:
            return None
        found = self.table.columns[column]
        for key in found.foreign_keys:
            return str(key.column.table.name)
        refers: str | None = found.info.get("refers")
        return refers


_DATASET = "dataset = {dataset}"
_OF_IMAGE = "image IN (SELECT id FROM image WHERE dataset = {dataset})"
_OF_RUNCAT = "runcat IN (SELECT id FROM runningcatalog WHERE dataset = {dataset})"

COMPARED = (
    Compared(
        table=schema.FREQUENCYBAND,
        identity=("freq_central", "freq_low", "freq_high"),
        mine=_DATASET,
    ),
    Compared(
        table=schema.SKYREGION,
        identity=("centre_ra", "centre_decl", "xtr_radius"),
        mine=_DATASET,
    ),
    Compared(
        table=schema.IMAGE,
        identity=("taustart_ts", "freq_eff", "skyrgn", "content"),
        order=("plane",),
        mine=_DATASET,
    ),
    Compared(
        table=schema.REJECTION,
        identity=("image",),
        order=("rejectreason",),
        mine=_OF_IMAGE,
    ),
    Compared(table=schema.MONITOR, identity=("ra", "decl"), mine=_DATASET),
    Compared(
        table=schema.EXTRACTEDSOURCE,
        identity=("image", "extract_type"),
        order=("ra", "decl", "f_int", "f_peak"),
        mine=_OF_IMAGE,
    ),
    Compared(table=schema.RUNNINGCATALOG, identity=("xtrsrc",), mine=_DATASET),
    Compared(
        table=schema.RUNNINGCATALOG_FLUX,
        identity=("runcat", "band", "stokes"),
        mine=_OF_RUNCAT,
    ),
    Compared(
        table=schema.ASSOCXTRSOURCE, identity=("runcat", "xtrsrc"), mine=_OF_RUNCAT
    ),
    Compared(table=schema.ASSOCSKYRGN, identity=("runcat", "skyrgn"), mine=_OF_RUNCAT),
    Compared(
        table=schema.NEWSOURCE, identity=("runcat", "trigger_xtrsrc"), mine=_OF_RUNCAT
    ),
    Compared(table=schema.VARMETRIC, identity=("runcat",), mine=_OF_RUNCAT),
)
"""In an order in which what a table refers to comes before it, where that is possible:
``monitor.runcat``, ``extractedsource.ff_runcat`` are looked at later."""
