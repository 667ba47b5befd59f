"""Disks that are full: a run stops with a clear word, and goes on with room again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.disks import Disk, own_disk, roomy
from tests.cluster.launches import STEADY, Launch, no_jobs, none_left, settings
from tests.cluster.skies import assert_same_catalogue
from tests.cluster.slurm import Slurm


@pytest.fixture
def disk(slurm: Slurm) -> Iterator[Disk]:
    """Empty at first, and in the end."""
    disk = slurm.disk
    yield disk
    disk.tidy()


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["scanning", "measuring", "finishing"])
def test_a_run_whose_disk_is_full_goes_on_once_there_is_room(
    slurm: Slurm, night_on_slurm: Path, serial_run: Path, disk: Disk, moment: str
) -> None:
    out = disk.folder / "run"
    launch = Launch(slurm, night_on_slurm, *settings(STEADY), directory=out)
    launch.until_said({"scanning": "submitted"}.get(moment, moment), 120)
    disk.fill()
    said = launch.wait()
    assert said.code == 1, str(said)
    assert "Traceback" not in str(said)
    errors = [line for line in said.err.splitlines() if line.startswith("trap-hpc: ")]
    assert len(errors) == 1, str(said)
    assert f"{out}/" in errors[0], "it says which disk"
    assert "resume" in errors[0]
    assert no_jobs(slurm)
    disk.free()
    again = slurm.trap_hpc("resume", out)
    assert again.code == 0, str(again)
    assert_same_catalogue(slurm, serial_run, out)
    hidden = [path.name for path in launch.paths.directory.rglob(".*")]
    assert not hidden, "something half-written stays"


@pytest.fixture
def login_disk(slurm: Slurm) -> Iterator[Disk]:
    """The login host's own disk for temporary files."""
    disk = own_disk(slurm.hosts["login"])
    yield disk
    roomy(disk)


def test_a_run_goes_on_though_its_brokers_disk_is_full(
    slurm: Slurm, few_images: Path, login_disk: Disk
) -> None:
    launch = Launch(slurm, few_images, *settings(STEADY))
    launch.until_said("first worker in")
    login_disk.fill()
    said = launch.wait()
    assert said.code == 0, str(said)
    assert none_left(said, "3 jobs")


def test_a_broker_takes_another_disk_than_one_that_is_full(
    slurm: Slurm, few_images: Path, login_disk: Disk
) -> None:
    login_disk.fill()
    launch = Launch(slurm, few_images)
    said = launch.wait()
    assert said.code == 0, str(said)
    assert launch.session is not None
    assert launch.session.broker_folder.startswith("/var/tmp/")


def test_workers_need_no_room_on_their_nodes_disks(
    slurm: Slurm, few_images: Path
) -> None:
    disks = [own_disk(node) for node in slurm.nodes]
    try:
        for disk in disks:
            disk.fill()
        said = Launch(slurm, few_images).wait()
        assert said.code == 0, str(said)
    finally:
        for disk in disks:
            roomy(disk)
