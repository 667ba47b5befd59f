"""``trap-hpc simulate``."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from trap_hpc.cli.output import echo, json_option, print_json, quiet_option
from trap_hpc.cli.watch import counting

DEFAULT_SIZE = 512


@click.command(
    context_settings={"show_default": True},
    help="Write FITS images of a made-up sky to the new folder OUT, and what is in "
    "them to OUT/truth.json.",
)
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--images", type=int, default=100, help="How many images, in all bands.")
@click.option("--size", type=int, default=DEFAULT_SIZE, help="Pixels along each side.")
@click.option("--sources", type=int, default=60, help="Constant sources.")
@click.option("--transients", type=int, default=2, help="Sources that come and go.")
@click.option("--variables", type=int, default=3, help="Sources that vary.")
@click.option("--bands", type=int, default=1, help="Frequency bands.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, help="Another seed, another sky."
)
@click.option("--cadence", type=float, default=600.0, help="Seconds between images.")
@json_option
@quiet_option
def simulate(
    out: Path,
    images: int,
    size: int,
    sources: int,
    transients: int,
    variables: int,
    bands: int,
    seed: int,
    cadence: float,
    as_json: bool,
    quiet: bool,
) -> int:
    """Simulate, then say how to go on."""
    from trap_hpc.simulate import simulate as make

    with counting("simulating", quiet=quiet) as progress:
        truth = make(
            out,
            images=images,
            size=size,
            sources=sources,
            transients=transients,
            variables=variables,
            bands=bands,
            seed=seed,
            cadence_s=cadence,
            progress=progress,
        )
    if as_json:
        print_json({"folder": str(out), "images": len(truth.files)})
    elif not quiet:
        radius = ""
        if size != DEFAULT_SIZE:
            radius = f" --set extraction_radius_pix={truth.search_radius_pix:g}"
        echo(f"{len(truth.files)} images are in {out}, and what they show is in")
        echo(f"{out / 'truth.json'}; next:")
        echo(f"  trap-hpc run {shlex.quote(str(out))}{radius}")
    return 0
