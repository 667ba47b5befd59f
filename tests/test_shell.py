"""Programs of the system, as they behave and as they don't."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from tests.brokers import is_gone, wait_until
from trap_hpc import shell
from trap_hpc.errors import CommandError, TimedOutError


def test_an_answer_has_all_that_was_said() -> None:
    answer = shell.run(["sh", "-c", "echo out; echo err >&2; exit 3"])
    assert (answer.out, answer.err, answer.exit_code) == ("out\n", "err\n", 3)
    assert not answer.good
    assert str(answer) == (
        "`sh -c 'echo out; echo err >&2; exit 3'` ended with 3: err; out"
    )


def test_an_error_is_raised_if_that_is_wanted() -> None:
    assert shell.run(["true"], check=True).good
    with pytest.raises(CommandError, match="`false` ended with 1: it said nothing"):
        shell.run(["false"], check=True)


def test_many_lines_become_one_and_too_many_are_cut() -> None:
    answer = shell.run(["sh", "-c", "printf 'a\\nb\\n' >&2; seq 100000"])
    assert "a / b; 1 / 2 /" in str(answer)
    assert "[...]" in str(answer)
    assert str(answer).endswith("99999 / 100000")
    assert len(str(answer)) < 2 * shell.SHOWN
    assert answer.out.count("\n") == 100_000


def test_a_program_that_is_killed_is_told_with_the_signals_name() -> None:
    answer = shell.run(["sh", "-c", "kill -TERM $$"])
    assert "was killed by SIGTERM: it said nothing" in str(answer)
    assert shell.how_ended(-77) == "was killed by signal 77"


@pytest.mark.parametrize(
    ("argv", "reason"),
    [
        (["/no/such/program"], "No such file or directory"),
        (["/etc/passwd"], "Permission denied"),
        (["echo", "a\0b"], "embedded null byte"),
        (["echo", "x" * 3_000_000], "Argument list too long"),
    ],
)
def test_a_program_that_cannot_be_run_is_told(argv: list[str], reason: str) -> None:
    for run in (shell.run, shell.start):
        with pytest.raises(CommandError, match=reason) as caught:
            run(argv)
        assert "can't be run" in str(caught.value)
        assert len(str(caught.value)) < 3 * shell.SHOWN


def test_what_is_no_text_is_no_harm() -> None:
    assert shell.run(["printf", r"\377\376 caf\303\251"]).out == "\ufffd\ufffd café"


def test_the_environment_is_ours_or_what_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRAP_HPC_TEST", "yes")
    show = ["/bin/sh", "-c", "echo $TRAP_HPC_TEST"]
    assert shell.run(show).out == "yes\n"
    assert shell.run(show, environment={}).out == "\n"


def test_a_program_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    script = f"sleep 600 & echo $! > {tmp_path}/child; wait"
    began = time.monotonic()
    with pytest.raises(TimedOutError, match="no answer within 0.5 s"):
        shell.run(["sh", "-c", script], timeout_s=0.5)
    assert time.monotonic() - began < 5
    child = int((tmp_path / "child").read_text())
    wait_until(lambda: not psutil.pid_exists(child) or gone(child))


def gone(pid: int) -> bool:
    try:
        return is_gone(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return True


def test_who_holds_the_output_of_an_ended_program_is_not_waited_for(
    tmp_path: Path,
) -> None:
    script = f"sleep 600 & echo $! > {tmp_path}/child; echo done; echo so >&2"
    answer = shell.run(["sh", "-c", script], timeout_s=30)
    assert (answer.out, answer.err, answer.good) == ("done\n", "so\n", True)
    assert answer.seconds < 10
    psutil.Process(int((tmp_path / "child").read_text())).kill()


def test_a_slow_program_that_says_all_at_the_end_is_heard() -> None:
    answer = shell.run(["sh", "-c", "sleep 1.3; seq 50000"], timeout_s=30)
    assert answer.out.endswith("50000\n")


def test_it_can_not_be_asked_and_does_not_hear_the_terminal() -> None:
    seen = shell.run([sys.executable, "-c", "import os; print(os.getsid(0))"])
    assert int(seen.out) != os.getsid(0)
    assert shell.run(["cat"]).out == ""


def test_an_interruption_kills_the_program() -> None:
    main = threading.main_thread().ident
    assert main is not None
    timer = threading.Timer(0.5, signal.pthread_kill, (main, signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        shell.run(["sleep", "600.5"])
    timer.join()
    assert not [
        process
        for process in psutil.Process().children()
        if process.cmdline() == ["sleep", "600.5"]
    ]


def test_what_is_started_goes_on_in_a_session_of_its_own(tmp_path: Path) -> None:
    output = tmp_path / "output"
    output.write_text("before\n")
    process = shell.start(["sh", "-c", "pwd; pwd >&2"], output=output, folder=tmp_path)
    assert shell.wait(process, 20)
    assert output.read_text() == f"before\n{tmp_path}\n{tmp_path}\n"


def test_output_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="can't be run: No such file or directory"):
        shell.start(["true"], output=tmp_path / "nowhere" / "output")


def test_a_kept_input_closes_with_us() -> None:
    process = shell.start(["cat"], keep_stdin=True)
    assert not shell.wait(process, 0.2)
    assert process.stdin is not None
    process.stdin.close()
    assert shell.wait(process, 20)


STARTER = """
import sys
from trap_hpc import shell
child = shell.start(["sleep", "600"], dies_with_us=sys.argv[1] == "yes")
print(child.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can")
@pytest.mark.parametrize("dies", ["yes", "no"])
def test_what_dies_with_us_does_so_when_we_are_killed(dies: str) -> None:
    argv = [sys.executable, "-c", STARTER, dies]
    with subprocess.Popen(argv, stdin=-1, stdout=-1, text=True) as starter:
        assert starter.stdout is not None
        child = psutil.Process(int(starter.stdout.readline()))
        starter.kill()
    if dies == "yes":
        wait_until(lambda: is_gone(child))
    else:
        time.sleep(0.2)
        assert not is_gone(child)
        child.kill()
