"""``trap-hpc doctor``."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import click

from trap_hpc.cli import exits
from trap_hpc.cli.options import add_options, place_of, profile_options
from trap_hpc.cli.output import echo, json_option, print_json

if TYPE_CHECKING:
    from trap_hpc.doctor.checks import Check
    from trap_hpc.doctor.findings import Findings
    from trap_hpc.run.place import Place

COLOURS = {"good": "green", "note": "yellow", "bad": "red"}
INDENT = 6
WIDTH_OF_A_FILE = 100


@click.command(
    help="Try a site with one tiny real job, and say what to do where it does not work."
    "\n\nThe job starts a worker, which checks code, directory, network, clock and "
    "what it was given, and ends at once. Nothing is left."
)
@add_options(profile_options)
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
    help="Write the interface that was reached into your own profile of the site.",
)
@json_option
def doctor(
    folder: Path, timeout_s: float, save_interface: bool, as_json: bool, **words: Any
) -> int:
    """Examine a site and print what was found."""
    from trap_hpc.doctor.checks import Verdict, judge
    from trap_hpc.doctor.examination import examine
    from trap_hpc.run.place import site_of

    place = place_of(engine="celery", **words)
    sourced = site_of(place)
    assert sourced is not None
    findings = examine(
        sourced,
        folder=folder,
        timeout_s=timeout_s,
        say=lambda text: echo(text, err=True),
        broker_password_file=place.broker_password_file,
    )
    checks = judge(findings)
    if as_json:
        print_json(_record(findings, checks))
    else:
        _print(findings.site, checks)
        echo(f"\n{_sentence(place, checks)}")
    if save_interface:
        _save(place.site or findings.site, findings)
    bad = any(check.verdict is Verdict.BAD for check in checks)
    return exits.FAILED if bad else 0


def _print(site: str, checks: Sequence[Check]) -> None:
    from trap_hpc.doctor.checks import Verdict

    echo(f"site {site}")
    for check in checks:
        if check.verdict is not Verdict.UNKNOWN:
            mark, *lines = _lines(check)
            click.secho(mark, fg=COLOURS[check.verdict.value], nl=False)
            for line in lines:
                echo(line)
    unknown = [check.what for check in checks if check.verdict is Verdict.UNKNOWN]
    if unknown:
        for line in wrap(f"not reached: {', '.join(unknown)}", _width() - 1):
            echo(f" {line}")


def _lines(check: Check) -> Iterator[str]:
    """Give the mark of one check, and what stands beside and below it."""
    mark = f" {check.verdict.value:<4}"
    yield mark
    beside = f" {check.what:<35} {check.found}"
    if len(mark + beside) <= _width():
        yield beside
    else:
        yield f" {check.what}"
        yield from _indented(check.found)
    if check.advice:
        yield from _indented(f"-> {check.advice}")


def _indented(text: str) -> Iterator[str]:
    for line in wrap(text, _width() - INDENT, break_on_hyphens=False):
        yield f"{'':{INDENT}}{line}"


def _width() -> int:
    return shutil.get_terminal_size((WIDTH_OF_A_FILE, 0)).columns


def _sentence(place: Place, checks: Sequence[Check]) -> str:
    from trap_hpc.doctor.checks import Verdict

    bad = [check for check in checks if check.verdict is Verdict.BAD]
    if bad:
        return f"Mend this first: {bad[0].what}."
    words = ["--site", place.site] if place.site else []
    for setting in place.settings:
        words += ["--site-set", setting]
    if place.broker_password_file:
        words += ["--broker-password-file", str(place.broker_password_file)]
    return f"This site works: {shlex.join(['trap-hpc', 'run', 'IMAGES', *words])}"


def _save(site: str, findings: Findings) -> None:
    """Keep the interface, not the address: other login hosts have others there."""
    from trap_hpc.config.editing import set_interface
    from trap_hpc.config.profiles import user_profile
    from trap_hpc.network import own_addresses

    if findings.call is None or not findings.call.address:
        echo("No address answered: nothing is saved.", err=True)
        return
    address = findings.call.address
    names = {each.address: each.interface for each in own_addresses()}
    interface = names.get(address, address)
    path = user_profile(site)
    set_interface(path, [interface])
    echo(f"interface = {interface} is in {path} now", err=True)


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
