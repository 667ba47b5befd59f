"""``trap-hpc attach``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trap_hpc.cli import exits
from trap_hpc.cli.output import echo, json_option, quiet_option
from trap_hpc.cli.session import run_of_images, told
from trap_hpc.cli.watch import watching
from trap_hpc.paths import RunPaths

if TYPE_CHECKING:
    from trap_hpc.run.attaching import Ending
    from trap_hpc.run.session.waiting import WaitingLauncher

LINES_SHOWN = 10
WAITS = "its launcher waits as a job; `trap-hpc status --ask` says what for"


@click.command(
    help="Watch RUN, which goes on in another process, until it has ended: what came "
    "of it is said here too, and the exit code is the run's. Ctrl-C leaves it alone."
    "\n\nRUN is a run's id, the beginning of an id, its directory, or `last`."
)
@click.argument("run", default="last")
@json_option
@quiet_option
def attach(run: str, as_json: bool, quiet: bool) -> int:
    """Follow the run's own reports."""
    import time

    from trap_hpc.run.attaching import Follower
    from trap_hpc.run.overview import overview
    from trap_hpc.run.planfile import read_plan
    from trap_hpc.run.status import summary_of

    directory = run_of_images(run)
    plan = read_plan(directory)
    seen = overview(directory)
    try:
        with watching(quiet=quiet) as watch:
            if seen.waiting is not None:
                watch.say(WAITS)
            follower = Follower(
                directory, watch, time.monotonic, time.sleep, _asker(directory)
            )
            ending = follower.follow()
    except KeyboardInterrupt:
        echo(
            f"left {plan.run_id} to itself: `trap-hpc attach {plan.run_id}` comes "
            f"back, `trap-hpc stop {plan.run_id}` ends it",
            err=True,
        )
        return exits.INTERRUPTED
    if not ending.finished:
        for line in _what_happened(plan.run_id, ending):
            echo(line, err=True)
        return exits.INTERRUPTED if ending.interrupted else exits.FAILED
    if not quiet and ending.jobs:
        echo(ending.jobs, err=True)
    progress = ending.seen.progress
    summary = summary_of(plan, progress.elapsed_s if progress else 0.0)
    return told(summary, as_json=as_json, quiet=quiet)


def _asker(directory: Path) -> Callable[[WaitingLauncher], bool]:
    from trap_hpc.config.site import Site
    from trap_hpc.run.session.waiting import still_waits
    from trap_hpc.schedulers.known import make_scheduler

    def asked(waiting: WaitingLauncher) -> bool:
        site = Site(name=waiting.site, scheduler=waiting.scheduler)
        return still_waits(directory, waiting, make_scheduler(site))

    return asked


def _what_happened(run_id: str, ending: Ending) -> Iterator[str]:
    """Say why nobody works on a run, and what to do."""
    from trap_hpc.run.session.logs import last_lines

    seen = ending.seen
    resume = f"`trap-hpc resume {run_id}` does the rest"
    if seen.launcher is None:
        yield f"trap-hpc: nobody works on {run_id}"
        if RunPaths(seen.directory).launcher_script.exists():
            yield f"Its launcher is a job: does it wait? `squeue --me --name={run_id}`"
        else:
            yield f"Nobody has begun with it: {resume}."
        return
    launcher = f"its launcher, process {seen.launcher.pid} on {seen.launcher.host},"
    if ending.why:
        yield f"trap-hpc: {run_id} has ended: {ending.why}"
    else:
        yield f"trap-hpc: {run_id}: {launcher} is gone without a word"
        log = RunPaths(seen.directory).launcher_log
        for line in last_lines(log, LINES_SHOWN):
            yield f"  {line}"
    if seen.session is not None and seen.session.up:
        yield f"`trap-hpc reap {run_id}` removes what it left."
    elif ending.jobs:
        yield ending.jobs
    yield f"What was done is kept: {resume}."
