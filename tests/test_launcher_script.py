"""The script of a launcher that is a batch job: right as shell, and it hands on."""

from __future__ import annotations

import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.ci import lacking
from tests.waiting import wait_until
from trap_hpc.config.site import Site
from trap_hpc.errors import UsageError
from trap_hpc.schedulers.launcher_script import launcher_script

WORDS = ["resume", "--in-allocation", "--", "/scratch/my runs/trap-abc"]
PYTHON = """\
#!/bin/bash
printf '<%s>' "$@" > "$SAID"
"""
TEARS_DOWN = """\
trap 'echo > "$SAID.ended"; exit 130' TERM
while true; do sleep 0.05; done
"""


def script(run: Path, python: Path = Path("python3"), **site: object) -> str:
    return launcher_script(
        Site(name="here", python=str(python), **site),  # type: ignore[arg-type]
        WORDS,
        run=run,
        run_id="trap-abc",
        code=run / "code.zip",
        environment={"PATH": "/usr/bin:/bin", "ODD": "it's\nodd"},
        user_site=False,
    )


def start(tmp_path: Path, does: str) -> subprocess.Popen[bytes]:
    """Run the script with a stand-in for Python."""
    python = tmp_path / "python of mine"
    python.write_text(PYTHON + does)
    python.chmod(0o755)
    path = tmp_path / "launcher.sh"
    path.write_text(script(tmp_path, python))
    said = {"SAID": str(tmp_path / "said"), "PATH": "/usr/bin:/bin"}
    return subprocess.Popen(["bash", path], env=said)


def test_shellcheck_finds_nothing(tmp_path: Path) -> None:
    if not shutil.which("shellcheck"):
        lacking("shellcheck is not installed")
    path = tmp_path / "launcher.sh"
    path.write_text(script(tmp_path, job_script_prologue=("module load python",)))
    # It can't know what /etc/profile of a site says.
    argv = ["shellcheck", "--exclude=SC1091", str(path)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_it_hands_on_the_words_and_the_exit_code(tmp_path: Path) -> None:
    assert start(tmp_path, "exit 3\n").wait(30) == 3
    told = (tmp_path / "said").read_text()
    assert told == "<-P><-m><trap_hpc>" + "".join(f"<{word}>" for word in WORDS)


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGTERM])
def test_a_signal_lets_the_launcher_tear_down(
    tmp_path: Path, number: signal.Signals
) -> None:
    process = start(tmp_path, TEARS_DOWN)
    wait_until((tmp_path / "said").exists, "the launcher runs")
    process.send_signal(number)
    assert process.wait(30) == 130
    assert (tmp_path / "said.ended").exists()


def test_a_folder_that_no_script_can_name_is_refused() -> None:
    with pytest.raises(UsageError, match="can't be written into a job script"):
        script(Path("/run\n/x"))
