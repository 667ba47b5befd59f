"""``trap-hpc pack``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trap_hpc.cli.output import echo, json_option, print_json, quiet_option
from trap_hpc.cli.summary import grouped
from trap_hpc.cli.watch import counting

if TYPE_CHECKING:
    from trap_hpc.pipeline.images import PackReport

EXIT_INCOMPLETE = 3


@click.command(
    help="Put IMAGES (files, folders, patterns, @lists) into one HDF5 file: a file "
    "system reads one large file faster than a million small ones."
)
@click.argument("images", nargs=-1, required=True, metavar="IMAGES...")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="The pack to make, e.g. night.h5.",
)
@click.option(
    "--compression",
    type=click.Choice(["gzip", "lzf"]),
    help="Smaller and slower; noise does not compress well.",
)
@json_option
@quiet_option
def pack(
    images: tuple[str, ...],
    out: Path,
    compression: str | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Pack, then say what went in and what did not."""
    from trap_hpc.pipeline.images import expand
    from trap_hpc.pipeline.images import pack as make

    with counting("packing", quiet=quiet) as progress:
        report = make(expand(images), out, compression=compression, progress=progress)
    if as_json:
        _print_json(report)
    elif not quiet:
        _print(report)
    bad = any(refusal.kind == "unreadable" for refusal in report.refused)
    return EXIT_INCOMPLETE if bad or not report.packed else 0


def _print_json(report: PackReport) -> None:
    from dataclasses import asdict

    refused = [asdict(refusal) for refusal in report.refused]
    print_json({"pack": str(report.path), "packed": report.packed, "refused": refused})


def _print(report: PackReport) -> None:
    if report.packed:
        echo(f"{report.packed} images are in {report.path}; next:")
        echo(f"  trap-hpc run {shlex.quote(str(report.path))}")
    else:
        echo("no image could be packed, and no file was made")
    if report.refused:
        echo(f"left out      {len(report.refused)}")
        for line in grouped([(r.address, r.reason) for r in report.refused]):
            echo(line)
