"""A shared file system on which files are seen late costs time, and no work."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.late import late_view
from tests.cluster.launches import STEADY, Launch, fresh, none_left, settings
from tests.cluster.skies import assert_same_catalogue
from tests.cluster.slurm import Slurm

LATE_S = 4.0


@pytest.fixture
def late_folder(slurm: Slurm) -> Iterator[Path]:
    """A folder that all hosts see late, each in its own way."""
    folder = fresh(slurm, "late")
    folder.mkdir()
    shutil.chown(folder, slurm.user.uid, slurm.user.gid)
    with late_view([slurm.hosts["login"], *slurm.nodes], folder, LATE_S):
        yield folder


@pytest.mark.slow
def test_a_run_on_a_file_system_that_shows_files_late_sends_nothing_twice(
    slurm: Slurm, night_on_slurm: Path, serial_run: Path, late_folder: Path
) -> None:
    launch = Launch(
        slurm, night_on_slurm, *settings(STEADY), directory=late_folder / "run"
    )
    said = launch.wait(300)
    log = launch.paths.log.read_text()
    assert said.code == 0, f"{said}\n{log}"
    assert none_left(said, "3 jobs")
    assert "sent again" not in log
    assert_same_catalogue(slurm, serial_run, launch.directory)
