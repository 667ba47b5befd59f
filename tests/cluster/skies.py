"""Images that runs on the cluster work on, and their catalogue by a serial run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster.launches import STEADY, settings
from tests.cluster.slurm import Slurm


@pytest.fixture(scope="session")
def night_on_slurm(slurm_of_all: Slurm) -> Path:
    """Three hundred small images in the user's home."""
    return simulated(slurm_of_all, "night", images=300, size=160, sources=12)


@pytest.fixture(scope="session")
def few_images(night_on_slurm: Path) -> Path:
    """Thirty of `night_on_slurm`, where it does not matter what they show."""
    return night_on_slurm / "sim_t0000[0-2]*.fits"


@pytest.fixture(scope="session")
def long_night(slurm_of_all: Slurm) -> Path:
    """Images that take long, with the parameters `launches.SLOW`."""
    return simulated(slurm_of_all, "long-night", images=100, size=256, sources=12)


@pytest.fixture(scope="session")
def serial_run(slurm_of_all: Slurm, night_on_slurm: Path) -> Path:
    """A serial run over `night_on_slurm`, with the parameters `launches.STEADY`."""
    out = slurm_of_all.work / "serial"
    words = ("run", night_on_slurm, "--engine", "serial", "--out", out, "--quiet")
    said = slurm_of_all.trap_hpc(*words, *settings(STEADY))
    assert said.code == 0, str(said)
    return out


def simulated(slurm: Slurm, name: str, *, images: int, size: int, sources: int) -> Path:
    folder = slurm.work / name
    numbers = {"--images": images, "--size": size, "--sources": sources}
    words = [word for key, value in numbers.items() for word in (key, str(value))]
    said = slurm.trap_hpc("simulate", folder, *words, "--quiet")
    assert said.code == 0, str(said)
    return folder


def assert_same_catalogue(slurm: Slurm, one: Path, other: Path) -> None:
    """Compare as a user would, to the bit."""
    said = slurm.trap_hpc("compare", one, other)
    assert said.code == 0, str(said)
