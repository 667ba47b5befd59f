"""What a benchmark finds, what was aimed at, and the table of both."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

SCHEMA_VERSION = 1
HEADS = ("figure", "median", "unit", "lowest - highest", "aim", "", "remark")


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    limit: float
    at_least: bool = False
    """Else it is the most that is wanted."""
    possible: float = math.inf
    """What is more than this was measured badly."""

    def met(self, value: float) -> bool:
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        return f"{'>=' if self.at_least else '<='} {self.limit:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One quantity and its value in each run; none if it could not be measured."""

    name: str
    unit: str
    values: tuple[float, ...] = ()
    aim: Aim | None = None
    remark: str = ""

    @property
    def value(self) -> float | None:
        return median(self.values) if self.values else None

    @property
    def verdict(self) -> str:
        if self.value is None:
            return "not measured"
        if self.aim is None:
            return ""
        if self.value > self.aim.possible:
            return "can't be true"
        return "met" if self.aim.met(self.value) else "NOT MET"

    def cells(self) -> tuple[str, ...]:
        """What the table says of it, under `HEADS`."""
        value = "-" if self.value is None else f"{self.value:.3g}"
        aim = str(self.aim) if self.aim else ""
        spread = self._range()
        return self.name, value, self.unit, spread, aim, self.verdict, self.remark

    def line(self) -> str:
        measured = self.value is not None
        value = f"{self.value:.3g} {self.unit}" if measured else "not measured"
        return f"{self.name}: {value}" + (f" ({self.remark})" if self.remark else "")

    def _range(self) -> str:
        if len(self.values) < 2:
            return ""
        return f"{min(self.values):.3g} - {max(self.values):.3g}"


def table(figures: Sequence[Figure]) -> str:
    rows = [HEADS, *(figure.cells() for figure in figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(line.rstrip() for line in lines)


def as_json(figures: Sequence[Figure], machine: dict[str, str]) -> str:
    records = [
        {
            "name": figure.name,
            "unit": figure.unit,
            "median": figure.value,
            "values": figure.values,
            "aim": str(figure.aim) if figure.aim else None,
            "verdict": figure.verdict,
            "remark": figure.remark,
        }
        for figure in figures
    ]
    record = {"schema_version": SCHEMA_VERSION, "machine": machine, "figures": records}
    return json.dumps(record, indent=1)
