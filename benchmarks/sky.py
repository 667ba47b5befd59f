"""Simulated images for the benchmarks."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from trap_hpc.simulate import simulate

TRANSIENTS, VARIABLES = 2, 3
STEPS_WITH_TRANSIENTS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Sky:
    """A folder of images."""

    folder: Path
    files: tuple[str, ...]
    """Names, in the order of time."""
    radius_pix: float
    """For ``extraction_radius_pix``."""

    def first(self, count: int) -> Path:
        """Return a folder with the first images only."""
        folder = self.folder / f"first-{count}"
        if not folder.exists():
            folder.mkdir()
            for name in self.files[:count]:
                (folder / name).symlink_to(self.folder / name)
        return folder


def make_images(folder: Path, *, size: int, sources: int, images: int) -> Sky:
    """Simulate; while a transient is on there is a source more."""
    truth = simulate(
        folder,
        images=images,
        size=size,
        sources=sources - VARIABLES,
        variables=VARIABLES,
        transients=TRANSIENTS if images >= STEPS_WITH_TRANSIENTS else 0,
        seed=20,
    )
    os.sync()  # else the disk is busy with them while others are timed
    radius_pix = truth.search_radius_pix
    return Sky(folder=folder, files=tuple(truth.files), radius_pix=radius_pix)
