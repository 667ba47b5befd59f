"""What `run` and `resume` have in common: watch, sum up, say how to go on."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from trap_hpc.cli import exits
from trap_hpc.cli.output import echo, print_json
from trap_hpc.cli.summary import print_summary, summary_record
from trap_hpc.cli.watch import watching
from trap_hpc.config.environment import launcher_environment
from trap_hpc.errors import RunError, UsageError
from trap_hpc.paths import RunPaths
from trap_hpc.run.session import ctrl_c

if TYPE_CHECKING:
    from trap_hpc.cli.watch import Watch
    from trap_hpc.run.progress import Progress, Summary

    Say = Callable[[str], None]

FROM_SNAPSHOT = "--from-snapshot"
"""Says to `resume` that it should be the run's own code by now."""

PROFILE_AGAIN = (
    "It keeps the site's values; after a change of the profile name that with --site."
)


def run_of_images(run: str) -> Path:
    """Return the directory of a run that can be resumed.

    Raises
    ------
    UsageError
        There is no such run, or there is nothing to resume in it.
    """
    from trap_hpc.run.registry import find_run

    directory = find_run(run)
    if not RunPaths(directory).ledger.exists():  # every run of images has one
        raise UsageError(
            f"{directory} was made by `trap-hpc associate`, which has nothing to "
            "resume: if it was interrupted, remove that folder and associate again"
        )
    return directory


def carry_out(
    work: Callable[[Watch, Say], Summary],
    *,
    run_id: str,
    directory: Path,
    as_json: bool,
    quiet: bool,
) -> int:
    """Do ``work`` under the user's eyes and return the exit code."""
    announced = quiet

    def announce() -> None:
        # Not before there is a run: its directory may be refused.
        nonlocal announced
        if not announced:
            echo(f"{run_id} in {directory}", err=True)
        announced = True

    with resumable(run_id, directory), watching(quiet=quiet) as onlooker:

        def watch(progress: Progress) -> None:
            announce()
            onlooker(progress)

        def say(sentence: str) -> None:
            announce()
            onlooker.say(sentence)

        summary = work(watch, say)
    return told(summary, as_json=as_json, quiet=quiet)


def told(summary: Summary, *, as_json: bool, quiet: bool) -> int:
    """Print what came of a run and return its exit code."""
    if as_json:
        print_json(summary_record(summary))
    elif not quiet:
        print_summary(summary)
    return summary.exit_code


@contextmanager
def resumable(run_id: str, directory: Path) -> Iterator[None]:
    """Say how to go on with a run if it is stopped; Ctrl-C is answered from here."""
    try:
        ctrl_c.release()
        yield
    except KeyboardInterrupt as interrupt:
        by = f" ({interrupt})" if str(interrupt) else ""
        echo(f"trap-hpc: interrupted{by}", err=True)
        echo(_how_to_go_on(run_id, directory), err=True)
        raise click.exceptions.Exit(exits.INTERRUPTED) from None
    except RunError as error:
        error.add_note(_how_to_go_on(run_id, directory))
        if RunPaths(directory).site.exists():
            error.add_note(PROFILE_AGAIN)
        raise


def _how_to_go_on(run_id: str, directory: Path) -> str:
    if not RunPaths(directory).plan.exists():
        return "Nothing was done yet."
    return f"What was done is kept: `trap-hpc resume {run_id}` does the rest."


def resume_words(directory: Path, options: Collection[str]) -> list[str]:
    """Write `resume` for the run in ``directory``.

    ``options`` are parameters of the present command, to be repeated as they are.
    """
    context = click.get_current_context()
    words = ["resume", FROM_SNAPSHOT, *(["--debug"] if context.obj else [])]
    for option in context.command.params:
        if isinstance(option, click.Option) and option.name in options:
            words += _as_typed(option, context.params[option.name])
    return [*words, "--", str(directory)]


def _as_typed(option: click.Option, value: object) -> list[str]:
    name = option.opts[0]
    if option.is_flag:
        return [name] if value else []
    values = value if isinstance(value, tuple) else (value,)
    return [f"{name}={each}" for each in values if each is not None]


def become(code: Path, words: Sequence[str]) -> NoReturn:
    """Go on as `trap-hpc` with ``words``, from the snapshot ``code``."""
    ctrl_c.become(program(words), launcher_environment(code))


def program(words: Sequence[str]) -> list[str]:
    """Return the command line of `trap-hpc` with ``words``."""
    return [sys.executable, "-P", "-m", "trap_hpc", *words]
