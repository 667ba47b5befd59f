"""A night of small images, and parameters by which each takes a while."""

from __future__ import annotations

from pathlib import Path

import pytest

SLOW = [
    *("--set", "detection_threshold=2.5", "--set", "analysis_threshold=1.2"),
    *("--set", "force_beam=false", "--set", "deblend_nthresh=200"),
]


def images(folder: Path, number: int) -> Path:
    """Simulate ``number`` images in a folder below ``folder``."""
    from trap_hpc.cli.main import main

    words = ["--images", str(number), "--size", "256", "--sources", "12", "--quiet"]
    with pytest.raises(SystemExit) as left:
        main(["simulate", str(folder / "images"), *words])
    assert left.value.code == 0
    return folder / "images"
