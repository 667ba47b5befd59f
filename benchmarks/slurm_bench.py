"""A Slurm of our own with images on it, to be timed by other benchmarks.

The cluster is that of the tests: three nodes on this machine, which share its cores.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.commands import ROOT, BenchmarkError
from benchmarks.sky import Sky, make_images
from tests.cluster.processes import Command
from tests.cluster.slurm import TRAP_HPC, Slurm
from tests.cluster.up import cluster, what_is_missing

LIMIT_S = 180
LOOK_EVERY_S = 0.005
JOBS, CORES = 3, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A cluster that is up, and images on it."""

    slurm: Slurm
    sky: Sky
    site: Path

    def start(self, words: Sequence[str | Path]) -> Command:
        return self.slurm.popen_as_user(words, environment={"PYTHONPATH": str(ROOT)})

    def run_words(
        self, images: Path, out: Path, *, workers: int, site: Path | None = None
    ) -> list[str | Path]:
        """Return ``trap-hpc run``; without a site it works on the login host."""
        radius = f"extraction_radius_pix={self.sky.radius_pix}"
        words: list[str | Path] = [*TRAP_HPC, "run", images, "--quiet", "--out", out]
        words += ["--workers", str(workers), "--set", radius]
        return words if site is None else [*words, "--site", site]


@contextmanager
def bench_on_slurm(*counts: int) -> Iterator[Bench]:
    """Bring a cluster up, with so many images: ``counts`` are for `Sky.first`."""
    if missing := what_is_missing():
        raise BenchmarkError(missing)
    with cluster(nodes=JOBS, cpus=CORES) as slurm:
        folder = slurm.work / "sky"
        sky = make_images(folder, size=512, sources=64, images=max(counts))
        for count in counts:
            sky.first(count)
        for path in (slurm.work, *slurm.work.rglob("*")):
            os.chown(path, slurm.user.uid, slurm.user.gid, follow_symlinks=False)
        yield Bench(slurm=slurm, sky=sky, site=slurm.site(cores=CORES))


def wait_for(there: Callable[[], bool], command: Command | None = None) -> None:
    until = time.perf_counter() + LIMIT_S
    while not there():
        if command is not None and command.over and not there():
            raise BenchmarkError(f"a command ended too soon: {command.wait()}")
        if time.perf_counter() > until:
            raise BenchmarkError(f"nothing came in {LIMIT_S} s")
        time.sleep(LOOK_EVERY_S)
