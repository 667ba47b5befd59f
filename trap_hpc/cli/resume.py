"""``trap-hpc resume``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from trap_hpc.cli.detached import detached, left_to_a_job
from trap_hpc.cli.options import (
    add_options,
    detach_option,
    engine_options,
    place_of,
    site_options,
)
from trap_hpc.cli.output import json_option, quiet_option
from trap_hpc.cli.session import (
    FROM_SNAPSHOT,
    become,
    carry_out,
    resumable,
    resume_words,
    run_of_images,
)
from trap_hpc.errors import RunError
from trap_hpc.run.session.ctrl_c import held


@click.command(
    help="Finish what a killed or interrupted RUN left, and only that."
    "\n\nRUN is a run's id, the beginning of an id, its directory, or `last`."
)
@click.argument("run")
@add_options(engine_options, site_options, [detach_option])
@click.option(
    "--retry-refused",
    is_flag=True,
    help="Try images again that were unreadable or failed.",
)
@json_option
@quiet_option
@click.option(FROM_SNAPSHOT, is_flag=True, hidden=True)
def resume(
    run: str,
    retry_refused: bool,
    detach: bool,
    as_json: bool,
    quiet: bool,
    from_snapshot: bool,
    **words: Any,
) -> int:
    """Find the run and let it go on, from its own copy of the code."""
    from trap_hpc.run.owner import require_ours
    from trap_hpc.run.planfile import own_code, read_plan

    directory = run_of_images(run)
    require_ours(directory)  # before anything in it is believed
    place = place_of(**words)
    plan = read_plan(directory, place)
    with resumable(plan.run_id, directory):
        code = own_code(directory)
        again = {*words, "retry_refused"}
        if code and from_snapshot:
            raise RunError(_not_from(code))
        if plan.site and plan.site.site.launcher == "job":
            kept = {"workers", "retry_refused"}
            return left_to_a_job(plan, resume_words(directory, kept), as_json=as_json)
        if detach:
            return detached(plan, resume_words(directory, again), as_json=as_json)
        if code:
            become(code, resume_words(directory, again | {"as_json", "quiet"}))
        with held():
            from trap_hpc.run.launch import resume as go_on

    return carry_out(
        lambda watch, say: go_on(
            str(directory),
            place=place,
            retry_refused=retry_refused,
            watch=watch,
            say=say,
        ),
        run_id=plan.run_id,
        directory=directory,
        as_json=as_json,
        quiet=quiet,
    )


def _not_from(code: Path) -> str:
    from trap_hpc.identity.sources import PACKAGE

    return (
        f"the run's own code is {code}, but Python imports trap_hpc from "
        f"{PACKAGE.parent}: something in this installation (sitecustomize.py, a .pth "
        "file) puts that before PYTHONPATH; remove it, or install trap_hpc elsewhere"
    )
