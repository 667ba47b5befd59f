"""``trap-hpc demo``: what was injected beside what was found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trap_hpc.cli import exits
from trap_hpc.cli.output import echo, print_rows
from trap_hpc.cli.session import carry_out
from trap_hpc.cli.watch import counting

if TYPE_CHECKING:
    from trap_hpc.run.plan import Plan
    from trap_hpc.simulate import Truth
    from trap_hpc.simulate.recovery import Match, Recovery

HEADINGS = ("injected", "ra", "decl", "Jy", "source", "off", "found as", "V", "eta")


@click.command(
    help="Simulate a night of images, run the pipeline over them, and print what was "
    "injected beside what was found."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("demo"),
    help="A new folder; by default demo.",
)
@click.option("--images", type=click.IntRange(min=10), default=40, help="How many.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, help="Another seed, another sky."
)
def demo(out: Path, images: int, seed: int) -> int:
    """Simulate, run, compare."""
    from trap_hpc.simulate import simulate
    from trap_hpc.simulate.recovery import recovery

    echo(f"$ trap-hpc simulate {out / 'images'} --images {images} --seed {seed}")
    with counting("simulating", quiet=False) as progress:
        truth = simulate(out / "images", images=images, seed=seed, progress=progress)
    _tell(truth)
    plan = _plan(out)
    echo(f"\n$ trap-hpc run {out / 'images'} --out {plan.directory}")
    code = _run(plan)
    if code:
        return code
    found = recovery(truth, plan.directory)
    echo("\nWhat was injected, and what was found there:\n")
    _print(found)
    return 0 if found.good else exits.FAILED


def _tell(truth: Truth) -> None:
    kinds = [source.kind for source in truth.sources]
    counts = [
        f"{kinds.count(k)} {k}"
        for k in ("constant", "variable", "transient")
        if k in kinds
    ]
    echo(f"{len(truth.files)} images with {', '.join(counts)} sources")


def _plan(out: Path) -> Plan:
    from trap_hpc.run.plan import make_plan

    return make_plan([str(out / "images")], out=out / "run")


def _run(plan: Plan) -> int:
    from trap_hpc.run.launch import start

    return carry_out(
        lambda watch, say: start(plan, watch, say),
        run_id=plan.run_id,
        directory=plan.directory,
        as_json=False,
        quiet=False,
    )


def _print(found: Recovery) -> None:
    changing = found.of_kind("transient") + found.of_kind("variable")
    print_rows(HEADINGS, map(_row, changing), left=(0, 6))
    echo()
    for line in _conclusions(found):
        echo(line)


def _row(match: Match) -> tuple[str, ...]:
    source = match.injected
    brightest = max(max(fluxes) for fluxes in source.flux_jy)
    place = (f"{source.ra_deg:.4f}", f"{source.decl_deg:.4f}", f"{brightest:.2f}")
    if match.runcat is None:
        return (source.kind, *place, "-", "-", "nothing", "-", "-")
    return (
        source.kind,
        *place,
        str(match.runcat),
        f'{match.distance_arcsec:.1f}"',
        match.type or "known source",
        f"{match.v_int:.3f}",
        f"{match.eta_int:.1f}",
    )


def _conclusions(found: Recovery) -> Iterator[str]:
    constant = found.of_kind("constant")
    seen = [match for match in constant if match.runcat is not None]
    line = f"{len(seen)} of {len(constant)} constant sources were found"
    if seen:
        line += f", with V up to {max(m.v_int for m in seen):.3f}"
        line += f" and eta up to {max(m.eta_int for m in seen):.1f}"
    yield line
    if found.good:
        yield "Every injected transient is a likely transient, and nothing else is."
        return
    missed = [m for m in found.of_kind("transient") if m.type != "likely transient"]
    if missed:
        yield f"{len(missed)} injected transients were missed."
    if found.false_alarms:
        sources = ", ".join(map(str, sorted(found.false_alarms)))
        yield f"Likely transients where none was injected: sources {sources}."
