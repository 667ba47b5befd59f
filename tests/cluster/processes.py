"""Processes within namespaces: how they are started from outside, and ended."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

import psutil

from tests.cluster.view import Cover

KEEPER = Path(__file__).with_name("keeper.py")
NAMESPACES = ("--mount", "--net", "--uts", "--ipc", "--pid")


@dataclass(frozen=True, slots=True)
class Said:
    """What a command left behind."""

    code: int
    out: str
    err: str

    def __str__(self) -> str:
        return f"exit code {self.code}\n{self.out}\n{self.err}"


class ClusterError(Exception):
    """The cluster can't be brought up, or one of its commands failed."""


def wait_until(
    true: Callable[[], object], what: str, timeout_s: float = 30.0, step_s: float = 0.05
) -> None:
    """Wait for a condition; that it never comes is a failure which says ``what``."""
    deadline = time.monotonic() + timeout_s
    while not true():
        if time.monotonic() > deadline:
            raise ClusterError(f"not within {timeout_s:g} s: {what}")
        time.sleep(step_s)


def entering(pid: int) -> list[str]:
    """Return how to enter all namespaces of a process."""
    return ["nsenter", f"--target={pid}", *NAMESPACES, "--"]


class First:
    """The first process of new namespaces: when it ends, so does all within them."""

    def __init__(
        self,
        *,
        within: int | None,
        covers: Sequence[Cover],
        binds: Sequence[tuple[str, str]] = (),
        disks: Sequence[tuple[str, str]] = (),
        hostname: str = "",
        removes: str = "",
        waits: bool = False,
        keeps: Sequence[int] = (),
    ) -> None:
        """Start it: `ready` waits for it. ``waits``: it ends when we do.

        ``disks``: folders to make small file systems at, and what they are like.
        """
        task = {
            "covers": [asdict(cover) for cover in covers],
            "binds": binds,
            "disks": disks,
            "hostname": hostname,
            "removes": removes,
            "waits": waits,
        }
        enter = [] if within is None else entering(within)
        unshare = ["unshare", "--fork", "--kill-child", *NAMESPACES, "--mount-proc"]
        python = [sys.executable, "-I", "-S", str(KEEPER), json.dumps(task)]
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        self.outer = subprocess.Popen(
            [*enter, *unshare, *python],
            stdin=subprocess.PIPE if waits else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            start_new_session=True,
            pass_fds=keeps,
            cwd="/",
        )
        self.pid = 0
        """As it is known outside."""

    def ready(self) -> None:
        assert self.outer.stdout is not None
        if self.outer.stdout.readline() != b"ready\n":
            self.outer.kill()
            self.outer.wait()
            self._errors.seek(0)
            said = self._errors.read().decode(errors="replace")
            raise ClusterError(f"a namespace can't be made: {said}")
        self.pid = innermost(self.outer.pid)

    def end(self) -> None:
        """End it and all that live under it. May be called twice."""
        if self.outer.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self.outer.stdin.close()
        elif self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        try:
            self.outer.wait(10)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid or self.outer.pid, signal.SIGKILL)
            self.outer.wait(10)
        if self.outer.stdout is not None:
            self.outer.stdout.close()
        self._errors.close()


def innermost(pid: int) -> int:
    """Follow ``nsenter`` and ``unshare`` down to the process that they started."""
    process = psutil.Process(pid)
    while process.name() in ("nsenter", "unshare"):
        children = process.children()
        if not children:
            return process.pid
        process = children[0]
    return process.pid


class Command:
    """A command that was started within a cluster, and goes on beside the test."""

    def __init__(self, argv: Sequence[str]) -> None:
        """``argv`` enters the cluster first."""
        self._said: Said | None = None
        self._out: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        self._err: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        self.outer = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=self._out,
            stderr=self._err,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        """Of the command itself, as it is known outside the cluster."""
        wait_until(
            lambda: self.outer.poll() is not None or self._inner() != self.outer.pid,
            "the command has started",
        )
        return self._inner()

    def _inner(self) -> int:
        try:
            return innermost(self.outer.pid)
        except psutil.NoSuchProcess:
            return self.outer.pid

    @property
    def out(self) -> str:
        """What it has printed so far."""
        return _content(self._out) if self._said is None else self._said.out

    @property
    def err(self) -> str:
        return _content(self._err) if self._said is None else self._said.err

    @property
    def over(self) -> bool:
        return self.outer.poll() is not None

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the command alone."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)
            if number is signal.SIGCONT:  # `nsenter` stops when its child does
                self.outer.send_signal(number)

    def end(self) -> bool:
        """Make sure that it has ended, and say whether that took force."""
        forced = not self.over
        if forced:
            self.send(signal.SIGKILL)
            self.outer.wait(10)
        self._close()
        return forced

    def wait(self, timeout_s: float = 60.0) -> Said:
        """Wait for the end; a command that does not come to one is killed."""
        try:
            self.outer.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.send(signal.SIGKILL)
            self.outer.wait(10)
            raise ClusterError(
                f"no end within {timeout_s:g} s: {self.outer.args!r}\n{self._close()}"
            ) from None
        return self._close()

    def _close(self) -> Said:
        if self._said is None:
            self._said = Said(self.outer.returncode, self.out, self.err)
            self._out.close()
            self._err.close()
        return self._said


def _content(stream: IO[bytes]) -> str:
    # By number and place: reading must not move where the command writes.
    size = os.fstat(stream.fileno()).st_size
    return os.pread(stream.fileno(), size, 0).decode(errors="replace")
