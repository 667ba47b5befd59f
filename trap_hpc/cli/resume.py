"""``trap-hpc resume``."""

from __future__ import annotations

import click

from trap_hpc.cli.options import add_options, engine_options
from trap_hpc.cli.output import json_option, quiet_option
from trap_hpc.cli.session import carry_out
from trap_hpc.errors import UsageError


@click.command(
    help="Finish what a killed or interrupted RUN left, and only that."
    "\n\nRUN is a run's id, the beginning of an id, its directory, or `last`."
)
@click.argument("run")
@add_options(engine_options)
@click.option(
    "--retry-refused",
    is_flag=True,
    help="Try images again that were unreadable or failed.",
)
@json_option
@quiet_option
def resume(
    run: str,
    engine: str | None,
    workers: int | None,
    retry_refused: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Find the run and let it go on."""
    from trap_hpc.paths import RunPaths
    from trap_hpc.run.launch import resume as go_on
    from trap_hpc.run.plan import read_plan
    from trap_hpc.run.registry import find_run

    directory = find_run(run)
    if not RunPaths(directory).ledger.exists():  # every run of images has one
        raise UsageError(
            f"{directory} was made by `trap-hpc associate`, which has nothing to "
            "resume: if it was interrupted, remove that folder and associate again"
        )
    plan = read_plan(directory)
    return carry_out(
        lambda watch: go_on(
            str(directory),
            engine=engine,
            workers=workers,
            retry_refused=retry_refused,
            watch=watch,
        ),
        run_id=plan.run_id,
        directory=directory,
        as_json=as_json,
        quiet=quiet,
    )
