"""What `run` and `resume` have in common: watch, sum up, say how to go on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trap_hpc.cli import exits
from trap_hpc.cli.output import print_json
from trap_hpc.cli.summary import print_summary, summary_record
from trap_hpc.cli.watch import watching
from trap_hpc.errors import RunError

if TYPE_CHECKING:
    from trap_hpc.cli.watch import Watch
    from trap_hpc.run.progress import Progress, Summary


def carry_out(
    work: Callable[[Watch], Summary],
    *,
    run_id: str,
    directory: Path,
    as_json: bool,
    quiet: bool,
) -> int:
    """Do ``work`` under the user's eyes and return the exit code."""
    announced = quiet
    try:
        with watching(quiet=quiet) as watch:

            def announce(progress: Progress) -> None:
                # Not before there is a run: its directory may be refused.
                nonlocal announced
                if not announced:
                    click.echo(f"{run_id} in {directory}", err=True)
                announced = True
                watch(progress)

            summary = work(announce)
    except KeyboardInterrupt:
        click.echo("trap-hpc: interrupted", err=True)
        click.echo(_how_to_go_on(run_id, directory), err=True)
        return exits.INTERRUPTED
    except RunError as error:
        error.add_note(_how_to_go_on(run_id, directory))
        raise
    if as_json:
        print_json(summary_record(summary))
    elif not quiet:
        print_summary(summary)
    return summary.exit_code


def _how_to_go_on(run_id: str, directory: Path) -> str:
    if not (directory / "ledger.sqlite").exists():
        return "Nothing was done yet."
    return f"What was done is kept: `trap-hpc resume {run_id}` does the rest."
