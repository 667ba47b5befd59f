"""The command line itself: help, errors and exit codes."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest

from tests.command_line import CommandLine
from trap_hpc.cli.main import COMMANDS, LazyGroup
from trap_hpc.errors import CatalogueError, ParameterError, StorageError

HEAVY = ("numpy", "astropy", "scipy", "h5py", "sqlalchemy", "rich", "casacore")


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(capsys)


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Let every command raise ``error``."""

    def fail() -> None:
        raise error

    command = click.Command("runs", callback=fail)
    monkeypatch.setattr(LazyGroup, "get_command", lambda *_: command)


def test_help_imports_nothing_heavy() -> None:
    words = [["--help"], *([name, "--help"] for name in COMMANDS)]
    code = f"""
import sys
from trap_hpc.cli.main import main
for words in {words!r}:
    try:
        main(words)
    except SystemExit as left:
        assert left.code == 0, words
heavy = [name for name in {HEAVY!r} if name in sys.modules]
sys.exit(f"imported {{heavy}}" if heavy else 0)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for name in COMMANDS:
        assert f"Usage: trap-hpc {name}" in done.stdout


def test_help_lists_every_command(call: CommandLine) -> None:
    said = call("--help")
    assert said.code == 0
    assert all(f"\n  {name} " in said.out for name in COMMANDS)


def test_no_command_shows_the_help(call: CommandLine) -> None:
    said = call()
    assert said.code in (0, 2)
    assert "Commands:" in said.out + said.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["candidate"], "Did you mean 'candidates'?"),
        (["xyzzy"], "See trap-hpc --help"),
        (["run"], "Missing argument 'IMAGES...'"),
        (["run", "x.fits", "--worker", "2"], "No such option"),
        (["run", "x.fits", "--workers", "0"], "0 is not in the range"),
        (["run", "x.fits", "--engine", "dask"], "'dask' is not one of"),
        (["run", "missing.fits"], "missing.fits"),
        (["show", "last", "bright"], "'bright' is not a valid integer"),
        (["candidates", "nowhere"], "no run is called 'nowhere'"),
        (["resume", "nowhere"], "no run is called 'nowhere'"),
    ],
)
def test_wrong_usage_ends_with_2_and_a_sentence(
    call: CommandLine, words: list[str], sentence: str
) -> None:
    said = call(*words)
    assert said.code == 2
    assert sentence in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (ParameterError("too small"), 2, "trap-hpc: too small"),
        (StorageError("the disk is full"), 1, "trap-hpc: the disk is full"),
        (CatalogueError("no answer"), 1, "trap-hpc: no answer"),
        (KeyboardInterrupt(), 130, "trap-hpc: interrupted"),
        (ZeroDivisionError("by zero"), 1, "ZeroDivisionError: by zero"),
    ],
)
def test_an_error_is_a_sentence_and_an_exit_code(
    call: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    code: int,
    sentence: str,
) -> None:
    failing(monkeypatch, error)
    said = call("runs")
    assert said.code == code
    assert sentence in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize("error", [StorageError("full"), ZeroDivisionError("by zero")])
def test_debug_lets_errors_through(
    call: CommandLine, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    failing(monkeypatch, error)
    with pytest.raises(type(error)):
        call("runs", "--debug")


def test_a_reader_that_leaves_early_is_no_error() -> None:
    """As in `trap-hpc --help | head -1`."""
    code = "from trap_hpc.cli.main import main; main(['--help'])"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
