"""``trap-hpc compare``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from trap_hpc.cli import exits
from trap_hpc.cli.output import echo, json_option, print_json, print_rows, quiet_option
from trap_hpc.cli.results import resolved

if TYPE_CHECKING:
    from trap_hpc.catalogue.compare import Comparison, TableComparison


@click.command(
    help="Tell whether the catalogues A and B are the same to the bit, whatever their "
    "images' order, their ids and their places are. A and B are runs, catalogue files "
    "or postgresql://host/database.",
    epilog="Ends with 0 if they are the same, with 1 if they differ.",
)
@click.argument("a")
@click.argument("b")
@json_option
@quiet_option
def compare(a: str, b: str, as_json: bool, quiet: bool) -> int:
    """Compare, and say what differs first."""
    from trap_hpc.catalogue.compare import compare as compared

    comparison = compared(resolved(a), resolved(b))
    if as_json:
        tables = [asdict(table) for table in comparison.tables]
        print_json({"same": comparison.same, "tables": tables})
    elif not quiet:
        _print(comparison)
    return 0 if comparison.same else exits.FAILED


def _print(comparison: Comparison) -> None:
    headings = ("table", "rows of A", "rows of B", "")
    print_rows(headings, map(_row, comparison.tables), left=(0, 3))
    echo()
    if comparison.first is None:
        echo("They are the same.")
    else:
        echo(f"They differ. First in {comparison.first}")
        echo("What comes after it may only follow from it.")


def _row(table: TableComparison) -> tuple[str, str, str, str]:
    return table.table, str(table.rows_a), str(table.rows_b), _verdict(table)


def _verdict(table: TableComparison) -> str:
    if table.same:
        return "same"
    parts = [f"{table.differing} rows differ in {', '.join(table.columns)}"]
    parts = parts if table.differing else []
    parts += [f"{table.only_a} only in A"] if table.only_a else []
    parts += [f"{table.only_b} only in B"] if table.only_b else []
    return "; ".join(parts)
