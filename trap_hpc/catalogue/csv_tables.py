"""Tables as CSV files with the columns' names on top."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trap_hpc.errors import UsageError
from trap_hpc.pipeline.records import Floats, Integers


@dataclass(frozen=True, slots=True)
class CsvTable:
    """A CSV file by columns, as text."""

    path: Path
    columns: dict[str, Sequence[str]]

    def text(self, name: str) -> Sequence[str]:
        """Return a column as it stands."""
        if name not in self.columns:
            found = ", ".join(self.columns) or "none"
            raise UsageError(
                f"{self.path} has no column {name}; it has {found}. Export the whole "
                "table from TraP's database, with the columns' names in the first line"
            )
        return self.columns[name]

    def floats(self, name: str, *, needed: bool = False) -> Floats:
        """Return a column of numbers; what is empty is not a number.

        A column that is ``needed`` may have no such gap, nor an infinite number.
        """
        try:
            values = np.array([float(v) if v else np.nan for v in self.text(name)])
        except ValueError as error:
            raise self._bad(name, error) from None
        if needed and not np.isfinite(values).all():
            row = int(np.isfinite(values).argmin()) + 2
            raise UsageError(f"{self.path}, column {name}: row {row} has no number")
        return values

    def integers(self, name: str) -> Integers:
        """Return a column of whole numbers; what is empty is 0."""
        try:
            return np.array([int(v) if v else 0 for v in self.text(name)], np.int64)
        except ValueError as error:
            raise self._bad(name, error) from None

    def times_us(self, name: str) -> Integers:
        """Return a column of times as microseconds since 1970."""
        try:
            times = np.array(self.text(name), "datetime64[us]")
        except ValueError as error:
            raise self._bad(name, error) from None
        return times.astype(np.int64)

    def _bad(self, name: str, error: ValueError) -> UsageError:
        return UsageError(f"{self.path}, column {name}: {error}")


def read_csv(path: Path) -> CsvTable | None:
    """Read a file; None if there is none.

    Raises
    ------
    UsageError
        It can't be read as CSV, or its lines are of different lengths.
    """
    if not path.is_file():
        return None
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            names, *rows = csv.reader(file, strict=True)
    except (OSError, UnicodeDecodeError, csv.Error, ValueError) as error:
        raise UsageError(f"can't read {path} as CSV: {error}") from None
    rows = [row for row in rows if row]
    for number, row in enumerate(rows, start=2):
        if len(row) != len(names):
            raise UsageError(
                f"{path}: row {number} has {len(row)} values for {len(names)} columns"
            )
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    return CsvTable(path, dict(zip(names, columns, strict=True)))
