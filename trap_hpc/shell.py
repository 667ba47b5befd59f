"""Programs of the system: the only place that runs any.

One time-out, one error text: the command, its exit code, what it printed.
"""

from __future__ import annotations

import shlex
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from trap_hpc.errors import CommandError, TimedOutError

TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a command gave back."""

    argv: tuple[str, ...]
    exit_code: int
    out: str
    err: str
    seconds: float

    @property
    def good(self) -> bool:
        """Whether it ended with 0."""
        return self.exit_code == 0

    def __str__(self) -> str:
        """Tell all of it, for an error message."""
        said = "; ".join(
            " / ".join(text.split("\n"))
            for text in (self.err.strip(), self.out.strip())
            if text
        )
        command = shlex.join(self.argv)
        return f"`{command}` ended with {self.exit_code}: {said or 'it said nothing'}"


def run(
    argv: Sequence[str],
    *,
    timeout_s: float = TIMEOUT_S,
    environment: Mapping[str, str] | None = None,
    check: bool = False,
) -> Answer:
    """Run a program to its end.

    ``environment`` replaces all of ours; ``check`` makes an exit code but 0 an error.

    Raises
    ------
    TimedOutError
        It gave no answer within ``timeout_s``, and was killed.
    CommandError
        It is not there, can't be run, or failed although ``check`` is set.
    """
    started = time.monotonic()
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise TimedOutError(
            f"`{shlex.join(argv)}` gave no answer within {timeout_s:g} s"
        ) from None
    except OSError as error:
        raise CommandError(
            f"`{shlex.join(argv)}` can't be run: {error.strerror or error}"
        ) from None
    answer = Answer(
        argv=tuple(argv),
        exit_code=done.returncode,
        out=done.stdout,
        err=done.stderr,
        seconds=time.monotonic() - started,
    )
    if check and not answer.good:
        raise CommandError(str(answer))
    return answer


def start(
    argv: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    output: Path | None = None,
    folder: Path | None = None,
    keep_stdin: bool = False,
) -> subprocess.Popen[bytes]:
    """Start a program that goes on beside us, in a session of its own.

    It hears nothing of what a terminal sends to us. ``output`` is appended to; without
    it what the program prints is thrown away. With ``keep_stdin`` its standard input
    is a pipe from us, which closes when we end, however that happens.

    Raises
    ------
    CommandError
        It is not there or can't be run.
    """
    try:
        stream = subprocess.DEVNULL if output is None else output.open("ab")
        try:
            return subprocess.Popen(
                argv,
                stdin=subprocess.PIPE if keep_stdin else subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=folder,
                start_new_session=True,
            )
        finally:
            if not isinstance(stream, int):
                stream.close()
    except OSError as error:
        raise CommandError(
            f"`{shlex.join(argv)}` can't be started: {error.strerror or error}"
        ) from None
