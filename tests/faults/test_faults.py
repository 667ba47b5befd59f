"""A few faults, twice each: `make faults` has all of them, as often as one likes."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.cluster.launches import STEADY, settings
from tests.cluster.slurm import Slurm
from tests.faults.kinds import FAULTS
from tests.faults.lab import BATCHES, FOLDERS, Lab
from tests.faults.scene import Scene
from tests.faults.trial import Trial

TRIES = 2
TOGETHER = (
    ("process killed", "worker killed", "network cut for long"),
    ("broker killed", "file damaged", "launcher killed"),
)


@pytest.fixture
def lab(slurm: Slurm, night_on_slurm: Path, serial_run: Path) -> Lab:
    nowhere = dict.fromkeys(("few", *FOLDERS), slurm.work / "nowhere")
    return Lab(
        slurm=slurm,
        images=night_on_slurm,
        reference=serial_run,
        words=(*BATCHES, *settings(STEADY)),
        **nowhere,
    )


@pytest.mark.slow
@pytest.mark.parametrize("names", TOGETHER, ids=", ".join)
def test_a_run_comes_through_with_the_serial_catalogue(
    lab: Lab, names: tuple[str, ...]
) -> None:
    faults, chance, notes = [FAULTS[x] for x in names], random.Random(1), list[str]()
    needs = [need for fault in faults for need in fault.needs]
    plan = [(chance.uniform(*x.gap_s), x) for _ in range(TRIES) for x in faults]
    scene = Scene(lab, chance, notes.append)
    scene.prepare(needs)
    result = Trial(scene, iter(plan)).run()
    scene.close()
    assert not result.wrong, "\n".join([*notes, *result.wrong])
    assert result.tries.keys() == set(names), notes
