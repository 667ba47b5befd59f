"""What lies beside the code is found wherever the code is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.ci import lacking
from tests.installations import checkout, installed, python, said_by, snapshot
from tests.source import ROOT

LIST = (
    "from trap_hpc.config.resources import resource; import trap_hpc; "
    "print(trap_hpc.__file__, *sorted(f.name for f in resource('configs').iterdir()))"
)
PROFILES = sorted(path.name for path in (ROOT / "configs").iterdir())


def listed(path: Path) -> list[str]:
    place, *names = said_by(path, LIST).split()
    assert place.startswith(f"{path}/"), "it is another package that was asked"
    return names


def test_a_checkout_a_wheel_and_a_snapshot_find_the_profiles(tmp_path: Path) -> None:
    code = checkout(tmp_path / "checkout")
    assert listed(code) == PROFILES
    assert listed(installed(code, tmp_path / "site-packages")) == PROFILES
    snapshot(code, tmp_path / "code.zip")
    assert listed(tmp_path / "code.zip") == PROFILES


def test_a_snapshot_reads_what_it_finds(tmp_path: Path) -> None:
    snapshot(checkout(tmp_path / "checkout"), tmp_path / "code.zip")
    done = python(tmp_path / "code.zip", "-m", "trap_hpc", "sites", "show", "slurm")
    assert done.returncode == 0, done.stderr
    assert 'scheduler = "slurm"  # packaged slurm.toml, line' in done.stdout


def test_an_installation_without_profiles_says_so(tmp_path: Path) -> None:
    code = checkout(tmp_path)
    (code / "configs").rename(code / "elsewhere")
    done = python(code, "-m", "trap_hpc", "sites")
    assert done.returncode == 1
    assert done.stderr.startswith(
        "trap-hpc: this installation of trap_hpc is not whole"
    )


def test_a_real_wheel_has_all_profiles(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    built = subprocess.run(
        [*pip, "wheel", str(ROOT), "--no-deps", "--wheel-dir", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if "No matching distribution found for hatchling" in built.stderr:
        lacking("hatchling, which builds wheels, can't be had")
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    target = tmp_path / "target"
    subprocess.run(
        [*pip, "install", "--quiet", "--no-deps", f"--target={target}", str(wheel)],
        timeout=300,
        check=True,
    )
    assert listed(target) == PROFILES
    done = python(target, "-m", "trap_hpc", "sites")
    assert done.returncode == 0, done.stderr
    assert "setonix" in done.stdout
