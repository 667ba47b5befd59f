"""Telling whether two catalogues are the same, to the bit.

The same means: equal tables, once the ids of both are mapped through a canonical
order (time, frequency, sky region, content of the image). What a catalogue says of its
making is not looked at: times of processing, descriptions, node names, how addresses
were spelled.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from trap_hpc.catalogue.canonical import Pairing, Side, Values, number_rows, paired
from trap_hpc.catalogue.compared_tables import COMPARED, Compared
from trap_hpc.catalogue.opened import Opened, opened
from trap_hpc.pipeline.records import Integers

Mask = npt.NDArray[np.bool_]

_COLUMNS_AT_ONCE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One value that differs."""

    table: str
    column: str
    """Empty where a whole row is missing."""
    id_a: int | None
    id_b: int | None
    """Ids of the row; None in the catalogue that lacks it."""
    value_a: object = None
    value_b: object = None

    def __str__(self) -> str:
        if self.id_b is None:
            return f"{self.table}: row {self.id_a} of A is missing in B"
        if self.id_a is None:
            return f"{self.table}: row {self.id_b} of B is missing in A"
        return (
            f"{self.table}.{self.column}: {self.value_a!r} in row {self.id_a} of A, "
            f"{self.value_b!r} in row {self.id_b} of B"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TableComparison:
    """How far a table is the same in both."""

    table: str
    rows_a: int
    rows_b: int
    only_a: int
    only_b: int
    differing: int
    """Rows that are in both, with a value that differs."""
    columns: tuple[str, ...]
    """Those with a value that differs."""
    first: Difference | None

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return self.first is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What `compare` found, table by table, what others depend on first."""

    tables: tuple[TableComparison, ...]

    @property
    def same(self) -> bool:
        """Whether the catalogues are the same."""
        return all(table.same for table in self.tables)

    @property
    def first(self) -> Difference | None:
        """The first difference; later ones may only follow from it."""
        return next((t.first for t in self.tables if t.first is not None), None)


def compare(a: str | Path, b: str | Path) -> Comparison:
    """Compare two catalogues: run directories, files or PostgreSQL URLs.

    Numbers are equal if their bits are (NaN is equal to NaN).

    Raises
    ------
    UsageError
        If one of them can't be found.
    CatalogueError
        If one of them can't be read.
    """
    with closing(opened(a)) as side_a, closing(opened(b)) as side_b:
        return Comparison(tables=tuple(_compare(side_a, side_b)))


def _compare(a: Opened, b: Opened) -> Iterator[TableComparison]:
    sides = Side(a), Side(b)
    number_rows(sides)
    for table in COMPARED:
        pairing = paired(sides[0].numbers(table), sides[1].numbers(table))
        yield _compare_table(table, sides, pairing)


def _compare_table(
    table: Compared, sides: tuple[Side, Side], pairing: Pairing
) -> TableComparison:
    ids = tuple(side.numbers(table).ids for side in sides)
    wrong = np.zeros(len(pairing.a), bool)
    found = [_missing(table, pairing, *ids)]
    columns = []
    for name, a, b in _pairs_of_columns(table, sides, pairing):
        unequal = (a != b) & ~((a != a) & (b != b))
        if unequal.any():
            columns.append(name)
            found.append(_first(table, name, pairing, ids, (a, b), unequal))
            wrong |= unequal
    return TableComparison(
        table=table.name,
        rows_a=len(ids[0]),
        rows_b=len(ids[1]),
        only_a=len(pairing.only_a),
        only_b=len(pairing.only_b),
        differing=int(wrong.sum()),
        columns=tuple(columns),
        first=next((difference for difference in found if difference), None),
    )


def _pairs_of_columns(
    table: Compared, sides: tuple[Side, Side], pairing: Pairing
) -> Iterator[tuple[str, Values, Values]]:
    """Yield each column of both sides, row against row."""
    for start in range(0, len(table.columns), _COLUMNS_AT_ONCE):
        names = table.columns[start : start + _COLUMNS_AT_ONCE]
        a, b = (side.values(table, names) for side in sides)
        for name, in_a, in_b in zip(names, a, b, strict=True):
            yield name, in_a[pairing.a], in_b[pairing.b]


def _missing(
    table: Compared, pairing: Pairing, ids_a: Integers, ids_b: Integers
) -> Difference | None:
    for only, ids, name in (
        (pairing.only_a, ids_a, "id_a"),
        (pairing.only_b, ids_b, "id_b"),
    ):
        if len(only):
            where = {"id_a": None, "id_b": None} | {name: int(ids[only[0]])}
            return Difference(table=table.name, column="", **where)
    return None


def _first(
    table: Compared,
    name: str,
    pairing: Pairing,
    ids: tuple[Integers, ...],
    values: tuple[Values, Values],
    unequal: Mask,
) -> Difference:
    row = int(np.argmax(unequal))
    refers = table.target(name) is not None
    shown = [f"no. {v[row]}" if refers else v[row].item() for v in values]
    return Difference(
        table=table.name,
        column=name,
        id_a=int(ids[0][pairing.a[row]]),
        id_b=int(ids[1][pairing.b[row]]),
        value_a=shown[0],
        value_b=shown[1],
    )
