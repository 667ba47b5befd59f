"""Results as text for people and as JSON for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from astropy.table import Table

SCHEMA_VERSION = 1

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON, for programs."
)
quiet_option = click.option(
    "--quiet", "-q", is_flag=True, help="Print no more than what was asked for."
)


def print_json(record: Mapping[str, Any]) -> None:
    """Print ``record`` and the version of its form as one JSON object."""
    click.echo(json.dumps({"schema_version": SCHEMA_VERSION, **record}, indent=1))


def print_rows(
    names: Sequence[str], rows: Iterable[Sequence[str]], *, left: Sequence[int] = (0,)
) -> None:
    """Print columns of text; those numbered in ``left`` are flush left."""
    lines = [list(names), *(list(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = [
            text.ljust(width) if number in left else text.rjust(width)
            for number, (text, width) in enumerate(zip(line, widths, strict=True))
        ]
        click.echo("  ".join(cells).rstrip())


def print_table(table: Table, formats: Mapping[str, str]) -> None:
    """Print an astropy table; ``formats`` are format specifications by column."""
    names = table.colnames
    headings = [_heading(name, table[name].unit) for name in names]
    text = [i for i, name in enumerate(names) if table[name].dtype.kind in "UOS"]
    rows = [[_cell(row[n], formats.get(n, "")) for n in names] for row in table]
    print_rows(headings, rows, left=text)


def rows_of(table: Table) -> dict[str, Any]:
    """Return an astropy table as JSON's units and rows; NaN becomes null."""
    names = table.colnames
    return {
        "units": {n: str(table[n].unit) for n in names if table[n].unit is not None},
        "rows": [{name: _plain(row[name]) for name in names} for row in table],
    }


def _heading(name: str, unit: object) -> str:
    return f"{name} [{unit}]" if unit is not None else name


def _plain(value: Any) -> Any:
    """Return a Python value that JSON can hold."""
    value = value.item() if hasattr(value, "item") else value
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return str(value)


def _cell(value: Any, specification: str) -> str:
    value = _plain(value)
    if value is None:
        return "-"
    if isinstance(value, float):
        return format(value, specification or ".6g")
    return str(value)
