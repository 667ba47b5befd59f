"""``trap-hpc logs``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from trap_hpc.cli.output import echo
from trap_hpc.errors import UsageError


@click.command(
    help="Show the last lines of the jobs' logs of RUN: of those that failed, or of "
    "one job. If none failed, list the logs, and show the end of the run's own."
    "\n\nRUN is a run's id, the beginning of an id, its directory, or `last`."
)
@click.argument("run", default="last")
@click.option("--job", metavar="J", help="This job alone: an id as Slurm writes it.")
@click.option(
    "--lines",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    metavar="N",
    help="So many lines of each.",
)
def logs(run: str, job: str | None, lines: int) -> int:
    """Find the logs that matter and print their ends."""
    from trap_hpc.paths import RunPaths
    from trap_hpc.run.overview import failed_jobs
    from trap_hpc.run.registry import find_run
    from trap_hpc.run.session.logs import all_logs, logs_of
    from trap_hpc.run.session.words import ids_text

    paths = RunPaths(find_run(run))
    wanted = [job] if job else failed_jobs(paths.directory)
    silent = [each for each in wanted if not logs_of(paths.logs, [each])]
    chosen = logs_of(paths.logs, wanted)
    if job and not chosen:
        raise UsageError(_no_log(job, all_logs(paths.logs)))
    if silent:
        echo(f"Failed and printed nothing: {ids_text(silent)}\n")
    elif not chosen:
        _list(all_logs(paths.logs))
    for path in [*chosen, *([] if job else [paths.log])]:
        _show(path, lines)
    return 0


def _list(paths: Sequence[Path]) -> None:
    echo(f"No job is known to have failed. Logs of jobs: {len(paths)}")
    for path in paths:
        echo(f"  {path.stat().st_size:>10} bytes  {path}")
    echo()


def _show(path: Path, lines: int) -> None:
    from trap_hpc.run.session.logs import last_lines

    echo(f"==> {path} <==")
    for line in last_lines(path, lines):
        echo(line)


def _no_log(job: str, paths: Sequence[Path]) -> str:
    from trap_hpc.run.session.logs import job_of
    from trap_hpc.run.session.words import some

    known = some(job_of(path) for path in paths) or "none yet"
    return f"job {job} has printed nothing here; there are logs of: {known}"
