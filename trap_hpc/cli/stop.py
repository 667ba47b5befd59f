"""``trap-hpc stop``."""

from __future__ import annotations

import click

from trap_hpc.cli.output import echo
from trap_hpc.run.session.stopping import PATIENCE_S


@click.command(
    help="Make RUN stop, from any host that sees its directory: its launcher ends the "
    "jobs and the broker. What was done is kept, and `trap-hpc resume` goes on. Does "
    "it itself if the launcher is gone."
    "\n\nRUN is a run's id, the beginning of an id, its directory, or `last`."
)
@click.argument("run")
@click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(min=0),
    default=PATIENCE_S,
    show_default=True,
    metavar="S",
    help="Seconds to wait for the launcher.",
)
def stop(run: str, wait_s: float) -> int:
    """Ask, and wait until it is done."""
    import time

    from trap_hpc.run.registry import find_run
    from trap_hpc.run.session.reap import real_reaper
    from trap_hpc.run.session.stop import Stopper

    directory = find_run(run)
    stopper = Stopper(
        directory=directory,
        reaper=real_reaper(lambda text: echo(text, err=True)),
        clock=time.monotonic,
        sleep=time.sleep,
        wait_s=wait_s,
    )
    name = directory.name if run == "last" else run
    echo(f"{name}: {stopper.stop()}")
    return 0
