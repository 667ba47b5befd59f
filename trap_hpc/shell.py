"""Programs of the system: the only place that runs any.

One time-out, one error text: the command, its exit code, what it printed.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from trap_hpc.errors import CommandError, TimedOutError

TIMEOUT_S = 60.0
LINGER_S = 0.5
"""For what still holds a pipe of a command that has ended itself."""
SHOWN = 2000
"""Characters of a command, and of what it printed, that an error message repeats."""

Process = subprocess.Popen[bytes]


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
            " / ".join(_cut(text).splitlines())
            for text in (self.err.strip(), self.out.strip())
            if text
        )
        command = _command(self.argv)
        return f"{command} {how_ended(self.exit_code)}: {said or 'it said nothing'}"


def _command(argv: Sequence[str]) -> str:
    return f"`{_cut(shlex.join(argv))}`"


def how_ended(exit_code: int) -> str:
    """Say what an exit code means: ``ended with 1``, ``was killed by SIGTERM``."""
    if exit_code >= 0:
        return f"ended with {exit_code}"
    with contextlib.suppress(ValueError):
        return f"was killed by {signal.Signals(-exit_code).name}"
    return f"was killed by signal {-exit_code}"


def _cut(text: str) -> str:
    if len(text) <= SHOWN:
        return text
    return f"{text[: SHOWN // 2]} [...] {text[-SHOWN // 2 :]}"


def run(
    argv: Sequence[str],
    *,
    timeout_s: float = TIMEOUT_S,
    environment: Mapping[str, str] | None = None,
    check: bool = False,
) -> Answer:
    """Run a program to its end, or to the end of ``timeout_s``.

    ``environment`` replaces all of ours; ``check`` makes an exit code but 0 an error.
    It is in a session of its own: Ctrl-C does not cut it short, and it can't ask for a
    password. Whoever it leaves behind, holding its output, is not waited for.

    Raises
    ------
    TimedOutError
        It gave no answer within ``timeout_s``, and was killed with all its children.
    CommandError
        It is not there, can't be run, or failed although ``check`` is set.
    """
    started = time.monotonic()
    with _popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    ) as process:
        try:
            out, err = _hear(process, started + timeout_s)
        except subprocess.TimeoutExpired:
            _kill_all(process)
            raise TimedOutError(
                f"{_command(argv)} gave no answer within {timeout_s:g} s"
            ) from None
        except BaseException:
            _kill_all(process)
            raise
    answer = Answer(
        argv=tuple(argv),
        exit_code=process.returncode,
        out=out.decode(errors="replace"),
        err=err.decode(errors="replace"),
        seconds=time.monotonic() - started,
    )
    if check and not answer.good:
        raise CommandError(str(answer))
    return answer


def _hear(process: Process, ends_s: float) -> tuple[bytes, bytes]:
    """Return what a process prints until it ends."""
    ended = False
    while True:
        left_s = ends_s - time.monotonic()
        try:
            return process.communicate(timeout=max(min(left_s, LINGER_S), 0.0))
        except subprocess.TimeoutExpired as heard:
            if ended:
                return heard.output or b"", heard.stderr or b""
            ended = process.poll() is not None
            if left_s <= 0 and not ended:
                raise


def _kill_all(process: Process) -> None:
    """Kill a process and its children; it leads a group of its own."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def start(
    argv: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    output: Path | None = None,
    folder: Path | None = None,
    keep_stdin: bool = False,
    dies_with_us: bool = False,
) -> Process:
    """Start a program that goes on beside us, in a session of its own.

    It hears nothing of what a terminal sends to us. ``output`` is appended to; without
    it what the program prints is thrown away. With ``keep_stdin`` its standard input
    is a pipe from us, which closes when we end, however that happens. With
    ``dies_with_us`` the system kills it when the thread that started it ends, where
    the system can.

    Raises
    ------
    CommandError
        It is not there or can't be run.
    """
    try:
        stream = subprocess.DEVNULL if output is None else output.open("ab")
    except OSError as error:
        raise _cannot_start(argv, error) from None
    try:
        return _popen(
            argv,
            stdin=subprocess.PIPE if keep_stdin else subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=folder,
            preexec_fn=_end_with_parent() if dies_with_us else None,
        )
    finally:
        if not isinstance(stream, int):
            stream.close()


def wait(process: Process, timeout_s: float) -> bool:
    """Wait for a process to end; whether it did."""
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        return False
    return True


def _popen(argv: Sequence[str], **options: object) -> Process:
    try:
        return subprocess.Popen(argv, start_new_session=True, **options)  # type: ignore[call-overload,no-any-return]
    except (OSError, ValueError) as error:
        raise _cannot_start(argv, error) from None


def _cannot_start(argv: Sequence[str], error: Exception) -> CommandError:
    reason = getattr(error, "strerror", None) or error
    return CommandError(f"{_command(argv)} can't be run: {reason}")


def _end_with_parent() -> Callable[[], None] | None:
    """Return what a child calls before it becomes another program."""
    if sys.platform != "linux":
        return None
    import ctypes

    prctl, ours = ctypes.CDLL(None).prctl, os.getpid()

    def in_child() -> None:
        prctl(1, int(signal.SIGKILL))  # PR_SET_PDEATHSIG
        if os.getppid() != ours:
            os._exit(1)  # it ended in between

    return in_child
