"""``trap-hpc associate``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trap_hpc.cli.options import (
    add_options,
    database_url,
    monitor_options,
    monitor_positions,
    parameters_options,
    places_options,
)
from trap_hpc.cli.output import echo, json_option, print_json, quiet_option
from trap_hpc.cli.results import resolved
from trap_hpc.cli.summary import print_summary, summary_record
from trap_hpc.cli.watch import watching

if TYPE_CHECKING:
    from trap_hpc.run.reassociate import ReassociationCounts


@click.command(
    help="Associate the extractions of TABLES anew, without pixels. TABLES is a run, a "
    "catalogue, or a folder with TraP's tables as CSV (image.csv, extractedsource.csv, "
    "skyregion.csv and others). Job parameters are those of TABLES where you set none."
)
@click.argument("tables")
@add_options(places_options, parameters_options, monitor_options)
@json_option
@quiet_option
def associate(
    tables: str,
    out: Path | None,
    db: str | None,
    params: Path | None,
    overrides: tuple[str, ...],
    monitor_coords: str | None,
    monitor_list: Path | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Read tables, associate, sum up."""
    from trap_hpc.run.associating import associate as carry_out
    from trap_hpc.run.associating import plan_association

    association = plan_association(
        _source(tables),
        out=out,
        params=params,
        overrides=overrides,
        database=database_url(db),
        monitor=monitor_positions(monitor_coords, monitor_list),
    )
    with watching(quiet=quiet) as watch:
        summary, counts = carry_out(association, watch)
    if as_json:
        print_json({**summary_record(summary), "answers": asdict(counts)})
    elif not quiet:
        _print_counts(counts)
        print_summary(summary)
    return summary.exit_code


def _source(tables: str) -> str:
    """Return a folder of TraP's tables as it is, and where a run's catalogue is."""
    return tables if (Path(tables) / "image.csv").exists() else resolved(tables)


def _print_counts(counts: ReassociationCounts) -> None:
    echo(f"{counts.extractions} extractions, {counts.forced_fits} forced fits")
    if counts.unanswered:
        echo(
            f"{counts.unanswered} requests for forced fits found no answer in the "
            "tables, and count as failed fits"
        )
    if counts.unasked:
        echo(f"{counts.unasked} forced fits of the tables were not asked for")
