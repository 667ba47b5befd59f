"""``slurm/trap-hpc.sbatch``, submitted to a real Slurm; the launcher is a stand-in."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.slurm_here import SlurmHere, wait_until
from tests.source import ROOT

SCRIPT = ROOT / "slurm" / "trap-hpc.sbatch"
LAUNCHER = """\
#!/bin/bash
printf '<%s>' "$@" > "$SAID/arguments"
"""
TEARS_DOWN = """\
trap 'sleep 1; echo gone > "$SAID/ended"; exit 5' TERM
while true; do sleep 0.1; done
"""


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the stand-in says what it was given."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    monkeypatch.setenv("SAID", str(tmp_path))
    monkeypatch.delenv("TRAP_HPC_PYTHON", raising=False)
    return tmp_path


def stand_in(said: Path, does: str, name: str = "trap-hpc") -> None:
    path = said / "bin" / name
    path.write_text(LAUNCHER + does)
    path.chmod(0o755)


def submit(here: SlurmHere, said: Path, *words: str) -> str:
    fixed = ["--parsable", "--mem=100M", f"--output={said}/log"]
    return here.ask("sbatch", *fixed, str(SCRIPT), *words).strip()


def shown(here: SlurmHere, job: str, column: str) -> str:
    out = here.ask("scontrol", "--oneliner", "show", "job", job)
    return dict(w.partition("=")[::2] for w in out.split())[column]


def ends(here: SlurmHere, job: str) -> str:
    """Wait for its end; return its exit code, as Slurm writes it."""
    wait_until(lambda: shown(here, job, "JobState") in ("COMPLETED", "FAILED"))
    return shown(here, job, "ExitCode")


def test_it_hands_on_images_and_options(loopback: SlurmHere, said: Path) -> None:
    stand_in(said, "exit 3\n")
    job = submit(loopback, said, "/data/my night", "--workers", "6")
    assert ends(loopback, job) == "3:0"
    told = (said / "arguments").read_text()
    assert told == "<run></data/my night><--workers><6><--in-allocation>"
    assert shown(loopback, job, "NumNodes") == "2"
    assert shown(loopback, job, "NumCPUs") == "8"


def test_options_of_sbatch_win_over_its_own(loopback: SlurmHere, said: Path) -> None:
    stand_in(said, "exit 0\n")
    options = ["--parsable", "--mem=100M", "--nodes=1", "-c", "2", "-o", f"{said}/log"]
    job = loopback.ask("sbatch", *options, str(SCRIPT), "/data").strip()
    assert ends(loopback, job) == "0:0"
    assert shown(loopback, job, "NumCPUs") == "2"


def test_the_walltimes_warning_lets_the_launcher_tear_down(
    loopback: SlurmHere, said: Path
) -> None:
    stand_in(said, TEARS_DOWN)
    job = submit(loopback, said, "/data")
    wait_until((said / "arguments").exists)
    loopback.ask("scancel", "--batch", "--signal=USR1", job)
    assert ends(loopback, job) == "5:0"
    assert (said / "ended").exists()


def test_scancel_lets_the_launcher_tear_down(loopback: SlurmHere, said: Path) -> None:
    stand_in(said, TEARS_DOWN)
    job = submit(loopback, said, "/data")
    wait_until((said / "arguments").exists)
    loopback.ask("scancel", job)
    wait_until((said / "ended").exists)
    wait_until(lambda: shown(loopback, job, "JobState") == "CANCELLED")


def test_a_python_can_be_named(
    loopback: SlurmHere, said: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(said, "exit 0\n", "python-of-mine")
    monkeypatch.setenv("TRAP_HPC_PYTHON", f"{said}/bin/python-of-mine")
    assert ends(loopback, submit(loopback, said, "/data")) == "0:0"
    told = (said / "arguments").read_text()
    assert told == "<-P><-m><trap_hpc><run></data><--in-allocation>"


def test_without_images_it_says_how_it_is_used(loopback: SlurmHere, said: Path) -> None:
    assert ends(loopback, submit(loopback, said)) == "2:0"
    assert "no images are named: sbatch" in (said / "log").read_text()


def test_without_trap_hpc_it_says_what_is_missing(
    loopback: SlurmHere, said: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert ends(loopback, submit(loopback, said, "/data")) == "127:0"
    assert "no trap-hpc on PATH" in (said / "log").read_text()


def test_it_is_no_shell_script_for_the_login_node() -> None:
    environment = {"PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        ["bash", SCRIPT, "/data"], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 2
    assert "this is no batch job: sbatch" in done.stderr
