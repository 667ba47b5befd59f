"""A run may be killed again and again: in the end it has the same catalogue."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import made_up_run
from tests.kills import KILLS, killed_after
from tests.runs import assert_same
from trap_hpc.catalogue.store import Catalogue
from trap_hpc.paths import RunPaths

RUN_KILLS = max(KILLS // 2, 5)
PER_RUN = 5
LONGEST_S = 0.1
"""About as long as closing a small catalogue takes."""


@dataclass(frozen=True, slots=True)
class Undisturbed:
    out: Path
    seconds: float


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    out = tmp_path_factory.mktemp("runs") / "undisturbed"
    began_s = time.monotonic()
    made_up_run.run(out)
    return Undisturbed(out, time.monotonic() - began_s)


def finished(out: Path) -> bool:
    path = RunPaths(out).catalogue
    if not path.exists():
        return False
    with Catalogue.open(path) as catalogue:
        return catalogue.complete


@pytest.mark.slow
def test_a_run_that_is_killed_at_any_moment_resumes_to_the_same_catalogue(
    undisturbed: Undisturbed, tmp_path: Path
) -> None:
    moment = random.Random(6)
    for number in range(RUN_KILLS // PER_RUN):
        out = tmp_path / str(number)
        for _ in range(PER_RUN):
            words = ["-m", "tests.made_up_run", str(out)]
            killed_after(words, moment.uniform(0, undisturbed.seconds / 2))
        made_up_run.run(out)
        assert_same(undisturbed.out, out)


@pytest.mark.slow
def test_a_run_that_is_killed_while_its_catalogue_is_closed_closes_it_the_next_time(
    undisturbed: Undisturbed, tmp_path: Path
) -> None:
    moment = random.Random(7)
    for number in range(RUN_KILLS // PER_RUN):
        out, unfinished = tmp_path / str(number), 0
        for kill in range(PER_RUN):
            words = ["-m", "tests.made_up_run", str(out), "finishing"]
            killed_after(words, kill and moment.uniform(0, LONGEST_S))
            unfinished += not finished(out)
        assert unfinished, "it was killed before the end"
        made_up_run.run(out)
        assert_same(undisturbed.out, out)
        assert not list(out.glob(".*")), "nothing half written is left"
