"""``trap-hpc show``."""

from __future__ import annotations

import click

from trap_hpc.cli.output import json_option, print_json, print_table, rows_of
from trap_hpc.cli.results import FORMATS, opened


@click.command(
    help="Show the light curve of SOURCE, a source's number in the list of candidates "
    "or in the exported sources of RUN."
)
@click.argument("run")
@click.argument("source", type=int)
@json_option
def show(run: str, source: int, as_json: bool) -> int:
    """Print one light curve."""
    with opened(run) as catalogue:
        table = catalogue.light_curve(source)
    if as_json:
        print_json({"source": source, **rows_of(table)})
    else:
        print_table(table, FORMATS)
    return 0
