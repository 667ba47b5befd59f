"""``trap-hpc run`` and ``trap-hpc plan``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trap_hpc.cli.detached import detached, left_to_a_job
from trap_hpc.cli.options import (
    add_options,
    database_url,
    detach_option,
    engine_options,
    monitor_options,
    monitor_positions,
    parameters_options,
    place_of,
    places_options,
    site_options,
)
from trap_hpc.cli.output import json_option, quiet_option
from trap_hpc.cli.plan import print_plan
from trap_hpc.cli.session import become, resumable, resume_words
from trap_hpc.paths import RunPaths
from trap_hpc.run.session.ctrl_c import release

if TYPE_CHECKING:
    from trap_hpc.run.plan import Plan

IMAGES_HELP = """IMAGES are files, folders, patterns such as 'night*.fits' and
@list.txt, a file that names images, one a line: FITS, HDF5 packs (trap-hpc pack) and
CASA tables."""

_images = click.argument("images", nargs=-1, required=True, metavar="IMAGES...")
_batch_size = click.option(
    "--batch-size",
    type=click.IntRange(min=1),
    metavar="N",
    help="Images a task; by default as many as take a second or two.",
)


def _options(function: Callable[..., Any]) -> Callable[..., Any]:
    options = add_options(
        places_options,
        parameters_options,
        [*engine_options, _batch_size],
        site_options,
        monitor_options,
    )
    return _images(options(json_option(function)))


@click.command(
    help=f"Find the sources of IMAGES, their light curves and the new ones among them."
    f"\n\n{IMAGES_HELP}",
    epilog="Ends with 0 if all went well, 3 if some images were unreadable or failed, "
    "130 if it was interrupted: `trap-hpc resume` goes on from there.",
)
@_options
@quiet_option
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@detach_option
def run(as_json: bool, quiet: bool, dry_run: bool, detach: bool, **words: Any) -> int:
    """Make a plan, write it down, and let the run's own code carry it out."""
    plan = _plan(**words)
    if dry_run:
        print_plan(plan, as_json)
        return 0
    from trap_hpc.run.prepare import prepare

    with resumable(plan.run_id, plan.directory):
        prepare(plan)
        again = resume_words(plan.directory, {"in_allocation"})
        if plan.site and plan.site.site.launcher == "job":
            return left_to_a_job(plan, again, as_json=as_json)
        if detach:
            return detached(plan, again, as_json=as_json)
        again = resume_words(plan.directory, {"in_allocation", "as_json", "quiet"})
        return become(RunPaths(plan.directory).code, again)


@click.command(
    help=f"Say what `trap-hpc run` would do with IMAGES, every parameter with its "
    f"origin, and do nothing.\n\n{IMAGES_HELP}"
)
@_options
def plan(as_json: bool, **words: Any) -> int:
    """Make a plan and print it."""
    print_plan(_plan(**words), as_json)
    return 0


def _plan(
    *,
    images: tuple[str, ...],
    out: Path | None,
    db: str | None,
    params: Path | None,
    overrides: tuple[str, ...],
    batch_size: int | None,
    monitor_coords: str | None,
    monitor_list: Path | None,
    **place: Any,
) -> Plan:
    from trap_hpc.run.plan import make_plan

    release()
    return make_plan(
        images,
        out=out,
        params=params,
        overrides=overrides,
        place=place_of(**place),
        database=database_url(db),
        batch_size=batch_size,
        monitor=monitor_positions(monitor_coords, monitor_list),
    )
