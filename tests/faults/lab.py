"""The cluster on which things are broken, with images and their serial catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.launches import STEADY, settings
from tests.cluster.skies import simulated
from tests.cluster.slurm import Slurm
from tests.cluster.up import cluster

SERIAL_S = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """Where all runs of a campaign take place."""

    slurm: Slurm
    images: Path
    reference: Path
    """A serial run over them, in which nothing was broken."""


@contextmanager
def laboratory(images: int) -> Iterator[Lab]:
    """Bring a cluster up, simulate images, and measure them one after the other."""
    with cluster(nodes=3, cpus=2) as slurm:
        yield prepared(slurm, images)


def prepared(slurm: Slurm, images: int) -> Lab:
    folder = simulated(slurm, "sky", images=images, size=160, sources=12)
    reference = slurm.work / "serial-reference"
    serial(slurm, folder, reference)
    return Lab(slurm=slurm, images=folder, reference=reference)


def serial(slurm: Slurm, images: Path, out: Path) -> None:
    """Run over ``images`` without a cluster, as all others are held against it."""
    words: list[str | Path] = ["--engine", "serial", "--out", out, "--quiet"]
    words += settings(STEADY)
    said = slurm.trap_hpc("run", images, *words, timeout_s=SERIAL_S)
    assert said.code == 0, str(said)
