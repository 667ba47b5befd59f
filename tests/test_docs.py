"""The documentation says what the program does."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from tests.source import ROOT
from trap_hpc.cli import exits
from trap_hpc.cli.main import COMMANDS, cli
from trap_hpc.config import dump, load
from trap_hpc.config.judging import DEFAULTS as SITE
from trap_hpc.config.limits import CHOICES, LIMITS, NOT_OFFERED
from trap_hpc.config.sourced import DEFAULTS

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
COMMAND = re.compile(r"^ {4,}(?:sudo .* )?trap-hpc (\S.*)$", re.MULTILINE)
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """The names that a page's headings go by."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    plain = (re.sub(r"[^\w\- ]", "", h).lower() for h in HEADING.findall(text))
    return {heading.strip().replace(" ", "-") for heading in plain}


def broken_links(page: Path) -> list[str]:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    broken = []
    for link in LINK.findall(text):
        if "://" in link or link.startswith("mailto:"):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name) if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(f"{page.relative_to(ROOT)}: {link}")
    return broken


def test_links_lead_somewhere() -> None:
    assert not [link for page in PAGES for link in broken_links(page)]


def test_every_page_can_be_reached_from_the_first() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop().resolve()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        links = LINK.findall(page.read_text(encoding="utf-8"))
        paths = (link.partition("#")[0] for link in links if "://" not in link)
        waiting += [page.parent / path for path in paths if path]
    pages = {page.resolve() for page in (ROOT / "docs").rglob("*.md")}
    assert pages <= reached


def commands() -> list[tuple[str, str]]:
    """Every command of ours that a page shows, to be typed as it is, and the page."""
    return [
        (str(page.relative_to(ROOT)), line)
        for page in PAGES
        for line in COMMAND.findall(page.read_text().replace("\\\n", " "))
    ]


def rest(context: click.Context) -> list[str]:
    """What a group leaves to its commands."""
    return [*context._protected_args, *context.args]


@pytest.mark.parametrize(("page", "line"), commands())
def test_a_command_that_is_shown_is_one(page: str, line: str) -> None:
    words = shlex.split(line.replace("NUMBER", "1"), comments=True)
    command: click.Command = cli
    context = cli.make_context("trap-hpc", words)
    while isinstance(command, click.Group) and (words := rest(context)):
        name, found, words = command.resolve_command(context, words)
        assert name
        assert found
        command, context = found, found.make_context(name, words, parent=context)


def documented_parameters() -> dict[str, tuple[str, str]]:
    """By ``section.name``: default and limits, as the reference has them."""
    rows: dict[str, tuple[str, str]] = {}
    section = ""
    for line in (ROOT / "docs/reference/parameters.md").read_text().splitlines():
        if line.startswith("## "):
            section = line.removeprefix("## ")
        elif line.startswith("| `"):
            name, default, limits, _ = (cell.strip() for cell in line[1:-1].split("|"))
            rows[f"{section}.{name.strip('`')}"] = (default.strip("`"), limits)
    return rows


def test_the_reference_has_every_parameter_with_its_default() -> None:
    effective = re.findall(
        r"^(?:\[(\w+)\]|(\w+) = (.*?)  # default)$", dump(load(None)), re.MULTILINE
    )
    expected, section = {}, ""
    for heading, name, value in effective:
        section = heading or section
        if name:
            expected[f"{section}.{name}"] = value
    documented = documented_parameters()
    assert {name: row[0] for name, row in documented.items()} == expected


def test_the_reference_has_the_limits_of_every_parameter() -> None:
    for name, (_, limits) in documented_parameters().items():
        section, _, key = name.partition(".")
        if name in NOT_OFFERED:
            assert limits == str(NOT_OFFERED[name][0])
        elif name in CHOICES:
            assert limits == " or ".join(CHOICES[name])
        else:
            number = not isinstance(DEFAULTS[section][key], bool | str)
            assert limits == (str(LIMITS[name]) if number else "")


def test_the_reference_has_every_key_of_a_site_with_its_default() -> None:
    text = (ROOT / "docs/reference/site-profiles.md").read_text()
    rows = re.findall(r"^\| `([a-z-]+)` \| (.*?) ?\|", text, re.MULTILINE)
    empty = {"": "", (): "[]"}
    assert {key.replace("-", "_"): value.strip("`") for key, value in rows} == {
        key: empty.get(value, str(value))  # type: ignore[call-overload]
        for key, value in SITE.items()
        if key != "name"
    }


def test_the_reference_has_every_command() -> None:
    text = (ROOT / "docs/reference/commands.md").read_text()
    assert re.findall(r"^\| `(\w+)", text, re.MULTILINE) == list(COMMANDS)


def test_the_reference_has_every_exit_code() -> None:
    text = (ROOT / "docs/reference/exit-codes.md").read_text()
    codes = {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)}
    assert codes == {0, exits.FAILED, exits.USAGE, 3, exits.INTERRUPTED}


def commands_in(page: Path) -> list[tuple[str, str]]:
    """Commands and their options that a page shows, line by line."""
    shown = re.findall(r"trap-hpc (\w+)((?: [^\s`]+)*)", page.read_text())
    return [(name, rest) for name, rest in shown if name in COMMANDS]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_name_options_that_exist(page: Path) -> None:
    context = click.Context(cli)
    for name, rest in commands_in(page):
        command = cli.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group) and rest.split():
            command = command.commands.get(rest.split()[0], command)
        known = {option for p in command.params for option in p.opts} | {"--help"}
        used = {word for word in rest.split() if re.fullmatch(r"--?[a-z][\w-]*", word)}
        assert used <= known, f"{page.name}: trap-hpc {name}{rest}"
