"""Numbers for rows that do not depend on the ids of one catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import sqlalchemy as sa

from trap_hpc.catalogue.compared_tables import COMPARED, Compared
from trap_hpc.catalogue.database import plain_errors, raw_rows, scalar
from trap_hpc.catalogue.opened import Opened
from trap_hpc.pipeline.records import Integers

Values = np.ndarray[Any, np.dtype[Any]]
_NOTHING, _UNKNOWN = -1, -2
_OWN = {"content", "plane"}
_EXTRA = "LEFT JOIN trap_hpc_image_extra x ON x.image = image.id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """A table's rows by ascending id, each with its number common to both sides."""

    ids: Integers
    numbers: Integers

    def of(self, ids: Values) -> Integers:
        """Return the numbers of the rows that ``ids`` (NaN: none) refer to."""
        if not len(self.ids):
            return np.where(np.isnan(ids), _NOTHING, _UNKNOWN)
        row = np.searchsorted(self.ids, ids).clip(max=len(self.ids) - 1)
        found = np.where(self.ids[row] == ids, self.numbers[row], _UNKNOWN)
        return np.where(np.isnan(ids), _NOTHING, found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """Which rows of both sides are the same thing, in canonical order.

    Positions count the rows of a table by ascending id.
    """

    a: Integers
    b: Integers
    only_a: Integers
    only_b: Integers


class Side:
    """One of the two catalogues, read column by column: that needs little memory."""

    def __init__(self, catalogue: Opened) -> None:
        self._catalogue = catalogue
        names = sa.inspect(catalogue.connection).get_table_names()
        self.knows_content = "trap_hpc_image_extra" in names
        # Most have one data set: then nothing has to be looked up to know whose it is.
        self._alone = scalar(catalogue.connection, "SELECT COUNT(*) FROM dataset") == 1
        self._numbers: dict[str | None, Numbers] = {}

    def learn(self, table: Compared, numbers: Numbers) -> None:
        """Remember a table's numbers, for the columns that refer to it."""
        self._numbers[table.name] = numbers

    def numbers(self, table: Compared) -> Numbers:
        """Return what `learn` was told."""
        return self._numbers[table.name]

    def ids(self, table: Compared) -> Integers:
        """Return all ids of a table, ascending."""
        return self._read(table, ["id"])[0].astype(np.int64)

    def values(self, table: Compared, columns: Sequence[str]) -> list[Values]:
        """Return columns by ascending id: floats, texts; references as numbers."""
        return [
            self._numbers[target].of(cells) if target in self._numbers else cells
            for name, cells in zip(columns, self._read(table, columns), strict=True)
            for target in [table.target(name)]
        ]

    def _read(self, table: Compared, columns: Sequence[str]) -> list[Values]:
        if not columns:
            return []
        names = ", ".join(
            f"x.{c}" if c in _OWN else f"{table.name}.{c}" for c in columns
        )
        join = _EXTRA if not _OWN.isdisjoint(columns) else ""
        mine = table.mine.format(dataset=self._catalogue.dataset)
        where = "" if self._alone else f"WHERE {table.name}.{mine}"
        query = (
            f"SELECT {names} FROM {table.name} {join} {where} ORDER BY {table.name}.id"
        )
        with plain_errors(self._catalogue.place):
            return _as_columns(raw_rows(self._catalogue.connection, query), columns)


def _as_columns(parts: Iterator[Any], names: Sequence[str]) -> list[Values]:
    columns: list[list[Values]] = [[] for _ in names]
    for rows in parts:
        for column, cells, name in zip(
            columns, zip(*rows, strict=True), names, strict=True
        ):
            column.append(_as_array(cells, name))
    return [np.concatenate(c) if c else np.zeros(0) for c in columns]


def _as_array(cells: Sequence[Any], name: str) -> Values:
    """Return numbers as floats (NULL is NaN; ids fit), anything else as text."""
    if name in ("content", "comment", "taustart_ts"):
        return np.array([_text(cell) for cell in cells], str)
    return np.array(cells, np.float64)


def _text(cell: object) -> str:
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ", timespec="microseconds")
    return "" if cell is None else str(cell)


def number_rows(sides: tuple[Side, Side]) -> None:
    """Give both sides common numbers for the rows of all tables."""
    both = all(side.knows_content for side in sides)
    for table in COMPARED:
        # Catalogues that TraP itself wrote know nothing of an image's content.
        known = _all if both else _without_content
        keys = [side.values(table, known(table.identity)) for side in sides]
        orders = [side.values(table, known(table.order)) for side in sides]
        codes = _codes(*keys)
        ranks = [_ranks(c, o) for c, o in zip(codes, orders, strict=True)]
        numbers = _codes(*([c, r] for c, r in zip(codes, ranks, strict=True)))
        for side, own in zip(sides, numbers, strict=True):
            side.learn(table, Numbers(ids=side.ids(table), numbers=own))


def _all(names: tuple[str, ...]) -> tuple[str, ...]:
    return names


def _without_content(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in _OWN)


def _codes(a: Sequence[Values], b: Sequence[Values]) -> tuple[Integers, Integers]:
    """Return numbers for the keys of both sides, in the order of the keys."""
    together = [np.concatenate(pair) for pair in zip(a, b, strict=True)]
    codes = [np.unique(column, return_inverse=True)[1] for column in together]
    order = np.lexsort(codes[::-1])
    new = np.zeros(len(order), bool)
    for code in codes:
        new[1:] |= np.diff(code[order]) != 0
    numbers = np.zeros(len(order), np.int64)
    numbers[order] = np.cumsum(new)
    return numbers[: len(a[0])], numbers[len(a[0]) :]


def _ranks(codes: Integers, orders: Sequence[Values]) -> Integers:
    """Return the rows' places within each code, by ``orders`` and then by id."""
    order = np.lexsort([*orders[::-1], codes])
    start = np.searchsorted(codes[order], codes[order])
    ranks = np.zeros(len(codes), np.int64)
    ranks[order] = np.arange(len(codes)) - start
    return ranks


def paired(a: Numbers, b: Numbers) -> Pairing:
    """Match the rows of both sides by their numbers."""
    _, in_a, in_b = np.intersect1d(
        a.numbers, b.numbers, assume_unique=True, return_indices=True
    )
    return Pairing(a=in_a, b=in_b, only_a=_others(a, in_a), only_b=_others(b, in_b))


def _others(numbers: Numbers, known: Integers) -> Integers:
    """Return the positions that ``known`` lacks, in canonical order."""
    other = np.ones(len(numbers.ids), bool)
    other[known] = False
    positions = np.flatnonzero(other)
    return positions[np.argsort(numbers.numbers[positions])]
