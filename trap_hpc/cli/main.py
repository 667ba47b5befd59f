"""The command ``trap-hpc``.

Nothing heavy is imported before a command needs it, so that ``--help`` is instant and
threads are capped before numpy looks.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import click

from trap_hpc import __version__
from trap_hpc.cli import exits
from trap_hpc.cli.leftovers import clearing_up
from trap_hpc.cli.output import echo
from trap_hpc.config.environment import cap_threads
from trap_hpc.errors import TrapHpcError, UsageError
from trap_hpc.run.session.ctrl_c import release


@dataclass(frozen=True, slots=True)
class _Command:
    """Where a command is written, and what `--help` says of it without looking."""

    module: str
    help: str
    answers_ctrl_c: bool = False
    """It releases Ctrl-C itself, when it can say what has become of the run."""


COMMANDS = {
    "run": _Command("run", "Images in, catalogue and light curves out.", True),
    "resume": _Command("resume", "Finish what a killed run left.", True),
    "plan": _Command("run", "Say what `run` would do, and do nothing."),
    "doctor": _Command("doctor", "Try a site with one tiny real job."),
    "sites": _Command("sites", "List, show, check or import descriptions of clusters."),
    "runs": _Command("runs", "List the runs that are known here."),
    "attach": _Command("attach", "Watch a run that goes on elsewhere, to its end."),
    "status": _Command("status", "Say how far a run is, and what its jobs wait for."),
    "logs": _Command("logs", "Show what a run's jobs printed, failed ones first."),
    "stop": _Command("stop", "Make a run stop, from anywhere."),
    "reap": _Command("reap", "Remove what runs left whose launchers are gone."),
    "candidates": _Command(
        "candidates", "List transient candidates, likely ones first."
    ),
    "show": _Command("show", "Show the light curve of one source."),
    "export": _Command("export", "Write a run's tables for other programs."),
    "compare": _Command("compare", "Tell whether two catalogues are the same."),
    "associate": _Command(
        "associate", "Associate existing extractions, without pixels."
    ),
    "pack": _Command("pack", "Put many images into one HDF5 file."),
    "simulate": _Command("simulate", "Make images of a sky with known truth."),
    "demo": _Command("demo", "Simulate, run, and compare with what was injected."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all names, in the order in which one needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command called ``cmd_name``."""
        known = COMMANDS.get(cmd_name)
        if known is None:
            ctx.fail(_unknown(cmd_name))
        module = importlib.import_module(f"trap_hpc.cli.{known.module}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, known.help) for name, known in COMMANDS.items()])


def _unknown(name: str) -> str:
    import difflib

    near = difflib.get_close_matches(name, COMMANDS, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else "See trap-hpc --help."
    return f"There is no command {name!r}. {hint}"


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="RUN is a run's id, the beginning of an id, its directory, or `last`. "
    "COMMAND --help tells more. Exit codes: 0 good, 1 failed, 2 wrong "
    "usage, 3 finished without some images, 130 interrupted and resumable.",
)
@click.option("--debug", is_flag=True, help="Show a traceback when something fails.")
@click.version_option(__version__, prog_name="trap-hpc")
def cli(debug: bool) -> None:
    """Find transients in radio images: images in, light curves and candidates out.

    Begin with `trap-hpc run IMAGES...`, where IMAGES are files or folders.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and leave with its exit code."""
    cap_threads()
    words = sys.argv[1:] if arguments is None else list(arguments)
    # Everywhere on the line: who repeats a failed command appends it.
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    sys.exit(_guarded(words, debug))


def _guarded(words: Sequence[str], debug: bool) -> int:
    """Return the exit code, and say what went wrong in a sentence."""
    try:
        if not any(
            COMMANDS[word].answers_ctrl_c for word in words[:1] if word in COMMANDS
        ):
            release()
        with clearing_up(words):
            code = cli.main(words, "trap-hpc", standalone_mode=False, obj=debug)
        return int(code or 0)
    except click.ClickException as error:
        error.show()
        return exits.USAGE
    except (click.Abort, KeyboardInterrupt):
        _complain("interrupted")
        return exits.INTERRUPTED
    except TrapHpcError as error:
        if debug:
            raise
        _complain("\n".join([str(error), *getattr(error, "__notes__", [])]))
        return exits.USAGE if isinstance(error, UsageError) else exits.FAILED
    except Exception as error:  # noqa: BLE001  a traceback is for those who ask
        if debug:
            raise
        _complain(
            f"{type(error).__name__}: {error}\nThis should not happen. Please report "
            "it with the output of the same command and --debug."
        )
        return exits.FAILED


def _complain(text: str) -> None:
    echo(f"trap-hpc: {text}", err=True)
