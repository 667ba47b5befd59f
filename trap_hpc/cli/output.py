"""Results as text for people and as JSON for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from trap_hpc.plaintext import one_line, printable

if TYPE_CHECKING:
    from astropy.table import Table

SCHEMA_VERSION = 1

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON, for programs."
)
quiet_option = click.option(
    "--quiet", "-q", is_flag=True, help="Print no more than what was asked for."
)


def echo(text: object = "", *, err: bool = False, nl: bool = True) -> None:
    """Print ``text`` without what moves a terminal: much of it others have named."""
    click.echo(printable(str(text)), err=err, nl=nl)


def print_json(record: Mapping[str, Any]) -> None:
    """Print ``record`` and the version of its form as one JSON object."""
    click.echo(json.dumps({"schema_version": SCHEMA_VERSION, **record}, indent=1))


def print_rows(
    names: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    left: Sequence[int] = (0,),
    widest: int | None = None,
) -> None:
    """Print columns of text; those numbered in ``left`` are flush left.

    A text longer than ``widest`` moves the rest of its line alone.
    """
    lines = [[one_line(text) for text in row] for row in (names, *rows)]
    columns = [[len(text) for text in column] for column in zip(*lines, strict=True)]
    widths = [max(n for n in [0, *c] if not widest or n <= widest) for c in columns]
    for line in lines:
        cells = [
            text.ljust(width) if number in left else text.rjust(width)
            for number, (text, width) in enumerate(zip(line, widths, strict=True))
        ]
        echo("  ".join(cells).rstrip())


@dataclass(frozen=True, slots=True)
class Shown:
    """A column as people see it."""

    heading: str
    text: Callable[[Any], str]
    """Of a row of the table."""
    left: bool = False


def number(name: str, specification: str) -> Callable[[Any], str]:
    """Return what writes the number in column ``name``; ``-`` if it is not known."""

    def text(row: Any) -> str:
        value = plain(row[name])
        return "-" if value is None else format(value, specification)

    return text


def moment(name: str) -> Callable[[Any], str]:
    """Return what writes the time in column ``name``, without idle zeros."""
    return lambda row: str(row[name]).removesuffix(".000000").replace("T", " ")


def print_table(table: Table, columns: Sequence[Shown]) -> None:
    """Print some columns of an astropy table."""
    rows = [[column.text(row) for column in columns] for row in table]
    left = [n for n, column in enumerate(columns) if column.left]
    print_rows([column.heading for column in columns], rows, left=left)


def rows_of(table: Table) -> dict[str, Any]:
    """Return an astropy table as JSON's units and rows; NaN becomes null."""
    names = table.colnames
    return {
        "units": {n: str(table[n].unit) for n in names if table[n].unit is not None},
        "rows": [{name: plain(row[name]) for name in names} for row in table],
    }


def plain(value: Any) -> Any:
    """Return a Python value that JSON can hold."""
    value = value.item() if hasattr(value, "item") else value
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return str(value)
