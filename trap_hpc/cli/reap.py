"""``trap-hpc reap``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from trap_hpc.cli.exits import FAILED
from trap_hpc.cli.output import echo, json_option, print_json

if TYPE_CHECKING:
    from trap_hpc.run.session.reap import Reaped


@click.command(
    help="Remove what runs left behind whose launchers are gone: jobs, brokers, "
    "credentials. Runs that live, on any host, are not touched."
    "\n\nRUN is a run's id, the beginning of an id, its directory, or `last`; without "
    "it all known runs are looked at."
)
@click.argument("run", required=False)
@click.option("--dry-run", is_flag=True, help="Say what is there, and remove nothing.")
@json_option
def reap(run: str | None, dry_run: bool, as_json: bool) -> int:
    """Find dead sessions and end them."""
    from trap_hpc.run.registry import find_run, known_runs
    from trap_hpc.run.session.reap import leftovers, real_reaper

    runs = {run: find_run(run)} if run else known_runs()
    reaper = real_reaper(lambda text: echo(text, err=True), dry_run=dry_run)
    done = reaper.reap(leftovers(runs))
    if as_json:
        print_json({"runs": [_record(each) for each in done]})
    else:
        for each in done:
            echo(f"{each.run_id} {each.text}")
        if not done:
            echo("nothing is left behind")
    return FAILED if any(each.verdict == "unknown" for each in done) else 0


def _record(reaped: Reaped) -> dict[str, Any]:
    return asdict(reaped) | {"directory": str(reaped.directory)}
