"""``trap-hpc show``."""

from __future__ import annotations

from typing import Any

import click

from trap_hpc.cli.output import (
    Shown,
    json_option,
    moment,
    number,
    print_json,
    print_table,
    rows_of,
)
from trap_hpc.cli.results import opened

KINDS = {0: "detected", 1: "forced", 2: "monitored"}


def _snr(row: Any) -> str:
    """Of detections alone: a forced fit has no island whose peak it could be."""
    return "-" if row["extract_type"] else format(row["det_sigma"], ".1f")


COLUMNS = (
    Shown("start [UTC]", moment("taustart_ts"), left=True),
    Shown("MHz", lambda row: format(row["freq_central"] / 1e6, ".1f")),
    Shown("point", lambda row: KINDS.get(int(row["extract_type"]), "?"), left=True),
    Shown("flux [Jy]", number("f_int", ".5f")),
    Shown("error", number("f_int_err", ".5f")),
    Shown("peak [Jy]", number("f_peak", ".5f")),
    Shown("error", number("f_peak_err", ".5f")),
    Shown("S/N", _snr),
    Shown("V", number("v_int", ".3f")),
    Shown("eta", number("eta_int", ".2f")),
    Shown("image", number("image", "d")),
)


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
        print_table(table, COLUMNS)
    return 0
