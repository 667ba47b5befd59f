"""``trap-hpc export``."""

from __future__ import annotations

from pathlib import Path

import click

from trap_hpc.cli.output import echo, json_option, print_json, quiet_option
from trap_hpc.cli.results import opened, resolved
from trap_hpc.errors import UsageError

FORMATS = ("votable", "csv", "hdf5")
"""Those of catalogue.export, which is too heavy to be asked for --help."""


@click.command(
    help="Write the sources, candidates, light curves, images and refusals of RUN for "
    "other programs: all in one file, or as csv in a folder of one file each."
)
@click.argument("run")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="votable",
    help="By default votable.",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="The file, or for csv the folder; by default in the run directory.",
)
@json_option
@quiet_option
def export(run: str, form: str, out: Path | None, as_json: bool, quiet: bool) -> int:
    """Write the files and name them."""
    from trap_hpc.catalogue.export import export as write

    place = resolved(run)
    target = out or _default(place, form)
    with opened(place) as catalogue:
        paths = write(catalogue, form, target)
    if as_json:
        print_json({"format": form, "files": [str(path) for path in paths]})
    elif not quiet:
        for path in paths:
            echo(path)
    return 0


def _default(place: str, form: str) -> Path:
    from trap_hpc.catalogue.export import DEFAULT_NAMES

    if "://" in place:
        raise UsageError("say with --out where the files of a database should go")
    path = Path(place)
    return (path if path.is_dir() else path.parent) / DEFAULT_NAMES[form]
