from __future__ import annotations

from pathlib import Path

import pytest

from tests.made_up_run import BATCH, IMAGES, run
from trap_hpc.paths import RunPaths
from trap_hpc.run import driver


def test_forced_fits_go_in_full_batches_however_often_association_pauses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "AT_A_TIME_S", 0.0)
    run(tmp_path / "run")
    batches = list(RunPaths(tmp_path / "run").batches.glob("force-*"))
    assert len(batches) <= IMAGES / BATCH + 2
