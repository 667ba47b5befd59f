"""The cluster on which things are broken, with images and their serial catalogue."""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.launches import settings
from tests.cluster.memory import can_be_limited
from tests.cluster.shape import PARTITIONS, Shape
from tests.cluster.skies import simulated
from tests.cluster.slurm import Slurm
from tests.cluster.up import cluster_of
from tests.faults.filesystems.mounts import Mount
from tests.source import ROOT

SERIAL_S = 900.0
FEW = 100
PIXELS_S = 0.4
"""So long whoever reads an image's pixels waits: see `filesystems.slow`."""
BATCHES = ("--batch-size", "4")
FAINT = {"detection_threshold": "4", "analysis_threshold": "3"}
"""Parameters by which noise is taken for sources now and then, and later images need
forced fits."""
LARGER = "remount,size=400m"
"""A run over all images leaves room on the disk that is to be filled."""
FOLDERS = ("behind", "curses", "cursed", "stored", "slow")
SHAPE = Shape(
    settings={
        "PreemptType": "preempt/partition_prio",
        "PreemptMode": "REQUEUE",
        # So long a job waits that is to start again: until its credentials are over.
        "AuthInfo": "cred_expire=5",
    },
    partitions={
        "main": PARTITIONS["main"],
        "urgent": "MaxTime=1-00:00:00 PriorityTier=10",
    },
    limits_memory=can_be_limited(),
)
"""Three nodes with two CPUs each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """Where all runs of a campaign take place."""

    slurm: Slurm
    images: Path
    reference: Path
    """A serial run over them, in which nothing was broken."""
    words: Sequence[str]
    """Options of all runs."""
    few: Path
    """Some of them, by themselves."""
    slow: Path
    """What is in `stored`, slowly."""
    stored: Path
    cursed: Path
    """What is in `behind`, with what `curses` say: see `filesystems.cursed`."""
    behind: Path
    curses: Path

    def at_hand(self, image: str | Path) -> Path:
        """Where an image of `slow` is to be reached by us."""
        return self.stored / Path(image).relative_to(self.slow)

    def without_fits(self, lost: Sequence[str]) -> Path:
        """Return a serial run over a few images in which some have no forced fits."""
        names = [Path(address).name for address in lost]
        known = hashlib.sha256(" ".join(names).encode()).hexdigest()[:16]
        out = self.slurm.work / f"serial-few-{known}"
        if out.exists():
            return out
        argv: list[str | Path] = [sys.executable, "-m", "tests.faults.losing"]
        argv += [self.few, out, *names]
        where = {"PYTHONPATH": str(ROOT)}
        said = self.slurm.run_as_user(argv, environment=where, timeout_s=SERIAL_S)
        assert said.code == 0, str(said)
        return out


@contextmanager
def laboratory(images: int) -> Iterator[Lab]:
    """Bring a cluster up, simulate images, and measure them one after the other."""
    with ExitStack() as stack:

        def before(slurm: Slurm, keeper: int) -> None:
            for name in FOLDERS:
                (slurm.folder / name).mkdir()
            behind, curses, cursed, stored, slow = folders(slurm).values()
            stack.callback(Mount(keeper, "cursed", behind, curses, cursed).end)
            stack.callback(Mount(keeper, "slow", stored, pace(slurm), slow).end)

        yield prepared(stack.enter_context(cluster_of(SHAPE, before)), images)


def folders(slurm: Slurm) -> dict[str, Path]:
    return {name: slurm.folder / name for name in FOLDERS}


def pace(slurm: Slurm) -> Path:
    return slurm.folder / "pace"


def prepared(slurm: Slurm, images: int) -> Lab:
    where = folders(slurm)
    sky = simulated(slurm, "sky", images=images, size=160, sources=12)
    shutil.move(sky, where["stored"] / "sky")
    lab = Lab(
        slurm=slurm,
        images=where["slow"] / "sky",
        reference=slurm.work / "serial-reference",
        words=(*BATCHES, *settings(FAINT)),
        few=where["stored"] / "few",
        **where,
    )
    lab.few.mkdir()
    for path in sorted(lab.at_hand(lab.images).glob("*.fits"))[:FEW]:
        shutil.copy(path, lab.few)
    serial(slurm, lab.images, lab.reference)
    pace(slurm).write_text(f"{PIXELS_S}")
    slurm.hosts["login"].run(["mount", "-o", LARGER, slurm.disk.folder])
    return lab


def serial(slurm: Slurm, images: Path, out: Path) -> None:
    """Run over ``images`` without a cluster, as all others are held against it."""
    words: list[str | Path] = ["--engine", "serial", "--out", out, "--quiet"]
    words += settings(FAINT)
    said = slurm.trap_hpc("run", images, *words, timeout_s=SERIAL_S)
    assert said.code == 0, str(said)
