"""``trap-hpc sites`` and the commands below it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trap_hpc.cli.output import echo, json_option, print_json, print_rows

if TYPE_CHECKING:
    from trap_hpc.config.jobqueue import Imported
    from trap_hpc.config.sites import KnownSite

UNTRIED = "nobody has run this profile yet; trap-hpc doctor --site tries it"


@click.group(
    invoke_without_command=True,
    help="List the sites that --site takes; or show, check or import one.",
)
@json_option
@click.pass_context
def sites(context: click.Context, as_json: bool) -> int:
    """Print all profiles that are found by name."""
    if context.invoked_subcommand:
        return 0
    from trap_hpc.config.sites import default_site, known_sites

    known = known_sites()
    default = default_site()
    if as_json:
        records = [_record(site) for site in known]
        print_json({"default": default and default[0], "sites": records})
        return 0
    rows = [_row(site) for site in known]
    print_rows(("site", "scheduler", "tried", "from", "what"), rows, left=range(5))
    echo()
    if default:
        echo(f"Without --site it is {default[0]} ({default[1]}).")
    echo("trap-hpc sites show SITE: every value, with where it comes from.")
    return 0


@sites.command(help="Show every value of SITE, a name or a file, with its origin.")
@click.argument("site")
@json_option
def show(site: str, as_json: bool) -> int:
    """Print one site as it would be used now."""
    from dataclasses import asdict

    from trap_hpc.config.sites import dump_site, load_site

    sourced = load_site(site)
    if as_json:
        origins = dict(sourced.origins)
        print_json({"site": asdict(sourced.site), "origins": origins})
        return 0
    name, tried = sourced.site.name, sourced.site.tried
    echo(f"# {name}: {f'tried: {tried}' if tried else UNTRIED}")
    echo(dump_site(sourced, named=False), nl=False)
    return 0


@sites.command(help="Say whether FILE is a good profile, and if not all that is wrong.")
@click.argument("file", type=click.Path(path_type=Path))
def check(file: Path) -> int:
    """Read one profile alone."""
    from trap_hpc.config.sites import check_site_file

    site = check_site_file(file).site
    echo(f"{file}: good; a site with the scheduler {site.scheduler}")
    return 0


@sites.command(
    "import",
    help="Make a profile of JOBQUEUE_YAML, dask-jobqueue's configuration. It is "
    "printed, unless --out or --name says where it goes.",
)
@click.argument("jobqueue_yaml", type=click.Path(path_type=Path))
@click.option(
    "--name", metavar="NAME", help="Make it a site of yours that goes by NAME."
)
@click.option("--scheduler", metavar="SECTION", help="Which section to take: slurm.")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE", help="Write it to FILE."
)
def import_(
    jobqueue_yaml: Path, name: str | None, scheduler: str | None, out: Path | None
) -> int:
    """Turn the file into a profile, and say what became of each key."""
    from trap_hpc.config.jobqueue import import_jobqueue
    from trap_hpc.config.profiles import new_profile

    imported = import_jobqueue(jobqueue_yaml, scheduler)
    if name or out:
        path = new_profile(imported.toml, name=name, path=out)
        echo(f"wrote {path}", err=True)
    else:
        echo(imported.toml, nl=False)
    _tell(imported)
    return 0


def _tell(imported: Imported) -> None:
    """Say on stderr what was taken and what was not: stdout may be the profile."""
    for key, sentence in imported.taken:
        echo(f"took      {key}: {sentence}", err=True)
    for key, sentence in imported.left:
        echo(f"left out  {key}: {sentence}", err=True)


def _row(site: KnownSite) -> tuple[str, ...]:
    if site.fault:
        return site.name, "?", "", _place(site), f"can't be used: {site.fault}"
    return (
        site.name,
        site.scheduler,
        site.tried or "no",
        _place(site),
        site.description,
    )


def _place(site: KnownSite) -> str:
    """Say where the values come from that win over all others in files."""
    if len(site.files) == 1 and site.packaged:
        return "packaged"
    file, home = Path(site.files[-1]), Path.home()
    return f"~/{file.relative_to(home)}" if file.is_relative_to(home) else str(file)


def _record(site: KnownSite) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(site)
