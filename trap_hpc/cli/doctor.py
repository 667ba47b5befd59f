"""``trap-hpc doctor``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trap_hpc.cli import exits
from trap_hpc.cli.output import json_option, print_json

if TYPE_CHECKING:
    from trap_hpc.doctor.checks import Check
    from trap_hpc.doctor.findings import Findings


@click.command(
    help="Try SITE with one tiny real job, and say what to do where it does not work."
    "\n\nThe job starts a worker, which checks code, directory, network, clock and "
    "what it was given, and ends at once. Nothing is left."
)
@click.option("--site", metavar="SITE", help="A site's name or file; or the default.")
@click.option(
    "--site-set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Set one value of the profile, e.g. account=abc123. Repeatable.",
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default=Path("runs"),
    show_default=True,
    metavar="DIR",
    help="Where runs would be: it must be seen by the nodes.",
)
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=1),
    default=300.0,
    show_default=True,
    metavar="S",
    help="Wait so many seconds for the job.",
)
@click.option(
    "--save-interface",
    is_flag=True,
    help="Write the address that answered into your own profile of the site.",
)
@json_option
def doctor(
    site: str | None,
    settings: tuple[str, ...],
    folder: Path,
    timeout_s: float,
    save_interface: bool,
    as_json: bool,
) -> int:
    """Examine a site and print a table."""
    from trap_hpc.doctor.checks import Verdict, judge
    from trap_hpc.doctor.examination import examine
    from trap_hpc.run.place import Place, site_of

    sourced = site_of(Place(engine="celery", site=site or "", settings=settings))
    assert sourced is not None
    findings = examine(
        sourced,
        folder=folder,
        timeout_s=timeout_s,
        say=lambda text: click.echo(text, err=True),
    )
    checks = judge(findings)
    if as_json:
        print_json(_record(findings, checks))
    else:
        _print(findings, checks)
    if save_interface:
        _save(findings)
    bad = any(check.verdict is Verdict.BAD for check in checks)
    return exits.FAILED if bad else 0


def _print(findings: Findings, checks: Sequence[Check]) -> None:
    from rich.console import Console
    from rich.table import Table

    colours = {"good": "green", "note": "yellow", "bad": "red", "not reached": "dim"}
    table = Table(title=f"site {findings.site}", title_justify="left", box=None)
    table.add_column("")
    table.add_column("check")
    table.add_column("found", overflow="fold")
    for check in checks:
        verdict = check.verdict.value
        found = f"{check.found}\n-> {check.advice}" if check.advice else check.found
        mark = f"[{colours[verdict]}]{verdict}[/]"
        table.add_row(mark, check.what, found)
    Console(highlight=False).print(table)
    click.echo(f"\n{_sentence(findings, checks)}")


def _sentence(findings: Findings, checks: Sequence[Check]) -> str:
    from trap_hpc.doctor.checks import Verdict

    bad = [check for check in checks if check.verdict is Verdict.BAD]
    if not bad:
        return f"This site works: trap-hpc run IMAGES --site {findings.site}"
    return f"Mend this first: {bad[0].what}."


def _save(findings: Findings) -> None:
    from trap_hpc.config.editing import set_interface
    from trap_hpc.config.profiles import user_profile

    if findings.call is None or not findings.call.address:
        click.echo("No address answered: nothing is saved.", err=True)
        return
    path = user_profile(findings.site)
    set_interface(path, [findings.call.address])
    click.echo(f"interface = {findings.call.address} is in {path} now")


def _record(findings: Findings, checks: Sequence[Check]) -> dict[str, object]:
    return {
        "site": findings.site,
        "checks": [
            {
                "check": check.what,
                "verdict": check.verdict.value,
                "found": check.found,
                "advice": check.advice,
            }
            for check in checks
        ],
    }
