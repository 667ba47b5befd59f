"""Ctrl-C ends a run with a sentence at any moment, never with a traceback."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.samples import write_noise
from trap_hpc.errors import RunError
from trap_hpc.run.session import ctrl_c

START = """
import signal, sys, trap_hpc.__main__
mask = signal.pthread_sigmask
def first_mask(*arguments):
    signal.pthread_sigmask = mask
    before = mask(*arguments)
    print('begun', file=sys.stderr, flush=True)
    return before
signal.pthread_sigmask = first_mask
sys.argv[1:] = {words!r}
trap_hpc.__main__.main()
"""
"""Says so when Python has come as far as our first line."""


def interrupted(tmp_path: Path, after_s: float) -> tuple[int, str]:
    """Interrupt a run so long after it has begun."""
    image = write_noise(tmp_path / "a.fits")
    words = ["run", str(image), "--out", str(tmp_path / "run"), "--workers", "1"]
    argv = [sys.executable, "-P", "-c", START.format(words=words)]
    with subprocess.Popen(
        argv, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "begun\n"
        time.sleep(after_s)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    return process.returncode, said


def check(tmp_path: Path, after_s: float) -> None:
    code, said = interrupted(tmp_path, after_s)
    assert "Traceback" not in said
    assert "Exception ignored" not in said
    assert code in (0, 130), said
    if code:
        assert "trap-hpc: interrupted" in said


@pytest.mark.parametrize("after_s", [0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.9, 1.3])
def test_ctrl_c_is_answered_with_a_sentence(tmp_path: Path, after_s: float) -> None:
    check(tmp_path, after_s)


@pytest.mark.slow
def test_ctrl_c_is_answered_with_a_sentence_at_forty_moments(
    tmp_path: Path,
) -> None:
    for moment in range(40):
        (folder := tmp_path / str(moment)).mkdir()
        check(folder, 0.06 * moment)


def test_ctrl_c_that_was_held_back_is_not_lost() -> None:
    with pytest.raises(KeyboardInterrupt), ctrl_c.held():
        signal.raise_signal(signal.SIGINT)
    ctrl_c.hold()
    signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        ctrl_c.release()


def test_what_cannot_be_started_is_told(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="can't start .*missing: No such file"):
        ctrl_c.become([str(tmp_path / "missing")], {})
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
