"""``trap-hpc candidates``."""

from __future__ import annotations

import shlex

import click

from trap_hpc.cli.output import (
    Shown,
    echo,
    json_option,
    moment,
    number,
    print_json,
    print_table,
    rows_of,
)
from trap_hpc.cli.results import opened

COLUMNS = (
    Shown("source", number("runcat", "d")),
    Shown("ra [deg]", number("ra", ".5f")),
    Shown("decl [deg]", number("decl", ".5f")),
    Shown("type", lambda row: str(row["type"]), left=True),
    Shown("peak S/N", number("peak_snr", ".1f")),
    Shown("V", number("v_int", ".3f")),
    Shown("eta", number("eta_int", ".2f")),
    Shown("points", number("images", "d")),
    Shown("detected", number("detections", "d")),
    Shown("first seen [UTC]", moment("first_seen"), left=True),
)


@click.command(
    help="List the transient candidates of RUN: likely transients (type 1) first, "
    "then by peak S/N.\n\nRUN is a run's id, the beginning of an id, its directory, "
    "`last`, a catalogue file, or postgresql://host/database."
)
@click.argument("run")
@click.option("--min-v", type=float, help="Add sources of at least this V.")
@click.option("--min-eta", type=float, help="Add sources of at least this eta.")
@json_option
def candidates(
    run: str, min_v: float | None, min_eta: float | None, as_json: bool
) -> int:
    """Print the candidates."""
    with opened(run) as catalogue:
        table = catalogue.candidates(min_v=min_v, min_eta=min_eta)
    if as_json:
        print_json(rows_of(table))
        return 0
    if not len(table):
        echo("No transient candidates. Variable sources: --min-v, --min-eta.")
        return 0
    print_table(table, COLUMNS)
    name = shlex.quote(run)
    echo(f"\nOne light curve: trap-hpc show {name} SOURCE", err=True)
    return 0
