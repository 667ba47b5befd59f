"""Code that is not the run's never works for it, and edits do not reach a run."""

from __future__ import annotations

import re
import shutil
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.cluster.launches import STEADY, Launch, none_left, settings
from tests.cluster.skies import assert_same_catalogue
from tests.cluster.slurm import Slurm
from tests.source import ROOT
from trap_hpc.worker.rollcall import EXIT_OTHER_CODE


@pytest.fixture
def waiting(slurm: Slurm, night_on_slurm: Path) -> Launch:
    """A run whose jobs can't begin yet."""
    slurm.drain()
    launch = Launch(slurm, night_on_slurm, workers=2)
    launch.until_submitted(1)
    return launch


def test_a_worker_with_one_byte_changed_is_refused_with_both_identities(
    slurm: Slurm, waiting: Launch
) -> None:
    change_one_byte(waiting.paths.code)
    assert_refused(slurm, waiting)


def change_one_byte(snapshot: Path) -> None:
    """Change a source in it, so that it is a whole and working zip file."""
    with zipfile.ZipFile(snapshot) as file:
        content = {name: file.read(name) for name in file.namelist()}
    source = "trap_hpc/pipeline/measure.py"
    content[source] = content[source].replace(b"the", b"thi", 1)
    with zipfile.ZipFile(snapshot, "w") as file:
        for name, text in content.items():
            file.writestr(name, text)


def test_a_worker_with_another_numpy_is_refused_with_both_identities(
    slurm: Slurm, night_on_slurm: Path
) -> None:
    pretended = another_numpy(slurm.work / "other-packages")
    prologue = [f"export PYTHONPATH={pretended}"]
    site = slurm.site("other-numpy.toml", job_script_prologue=prologue)
    slurm.drain()
    launch = Launch(slurm, night_on_slurm, site=site, workers=2)
    launch.until_submitted(1)
    assert_refused(slurm, launch)


def test_a_worker_of_another_installation_is_refused_with_both_identities(
    slurm: Slurm, night_on_slurm: Path
) -> None:
    """A Python that lacks what we need."""
    bare = slurm.work / "bare-python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    bare.chmod(0o755)
    site = slurm.site("bare.toml", python=str(bare))
    slurm.drain()
    launch = Launch(slurm, night_on_slurm, site=site, workers=2)
    launch.until_submitted(1)
    assert_refused(slurm, launch)


def another_numpy(folder: Path) -> Path:
    """Make metadata of another version, which come before the real one's."""
    distribution = folder / "numpy-99.0.dist-info"
    distribution.mkdir(parents=True)
    (distribution / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: numpy\nVersion: 99.0\n"
    )
    (distribution / "RECORD").write_text("numpy/__init__.py,sha256=no,1\n")
    assert np.__version__ != "99.0"
    return folder


def assert_refused(slurm: Slurm, launch: Launch) -> None:
    """Let its jobs begin: none of them may do a thing, and the user is told why."""
    slurm.resume()
    began_s = time.monotonic()
    launch.until_said("refused")
    assert time.monotonic() - began_s < 10
    said = launch.wait()
    assert said.code == 1, str(said)
    assert not launch.written
    told = re.search(r"refused: runs code (\w+), the run has code (\w+)", said.err)
    assert told is not None, str(said)
    assert told[1] != told[2]
    assert exit_codes(slurm, launch) == {f"{EXIT_OTHER_CODE}:0"}
    assert none_left(said, "1 job")


def exit_codes(slurm: Slurm, launch: Launch) -> set[str]:
    told = slurm.hosts["login"].run(["scontrol", "-o", "show", "job"]).out
    mine = [line for line in told.splitlines() if f"JobName={launch.run_id} " in line]
    return {line.split("ExitCode=")[1].split()[0] for line in mine}


@pytest.fixture
def checkout(slurm: Slurm, tmp_path: Path) -> Path:
    """A copy of the source tree which the user works on."""
    folder = slurm.work / f"checkout-{tmp_path.name}"
    for part in ("trap_hpc", "configs", "slurm"):
        shutil.copytree(ROOT / part, folder / part)
    slurm.hosts["login"].run(["chown", "-R", slurm.user.name, folder])
    return folder


def test_editing_the_source_does_not_reach_a_run_that_is_under_way(
    slurm: Slurm, night_on_slurm: Path, serial_run: Path, checkout: Path
) -> None:
    slurm.drain(2, 3)
    mine = {"PYTHONPATH": str(checkout)}
    words = ["--batch-size", "5", *settings(STEADY)]
    launch = Launch(slurm, night_on_slurm, *words, workers=6, environment=mine)
    launch.until_working()
    for part in (checkout / "trap_hpc").rglob("*.py"):
        part.write_text("raise RuntimeError('this was edited')\n")
    slurm.resume()
    said = launch.wait()
    assert said.code == 0, str(said)
    began_after_the_edit = launch.nodes_that_worked - {"n1"}
    assert began_after_the_edit == {"n2", "n3"}
    assert_same_catalogue(slurm, serial_run, launch.directory)
    after = Launch(slurm, night_on_slurm, environment=mine).wait()
    assert "this was edited" in after.err


def test_the_next_run_uses_what_was_edited(
    slurm: Slurm, night_on_slurm: Path, checkout: Path
) -> None:
    shown = "print('edited')\n"
    worker = checkout / "trap_hpc" / "worker" / "__main__.py"
    worker.write_text(worker.read_text().replace("\n\n\n", f"\n{shown}\n\n", 1))
    mine = {"PYTHONPATH": str(checkout)}
    launch = Launch(slurm, night_on_slurm, workers=2, environment=mine)
    said = launch.wait()
    assert said.code == 0, str(said)
    logs = [path.read_text() for path in launch.paths.logs.iterdir()]
    assert any("edited" in log for log in logs)
