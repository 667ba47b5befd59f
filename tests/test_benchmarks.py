from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.figures import Aim, Figure, table

ROOT = Path(__file__).parent.parent


def test_a_quick_benchmark_gives_its_figure_as_json() -> None:
    words = [sys.executable, "-m", "benchmarks", "--quick", "--only", "help", "--json"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    (figure,) = json.loads(done.stdout)["figures"]
    assert figure["name"] == "trap-hpc --help"
    assert figure["median"] > 0


@pytest.mark.parametrize(
    ("values", "aim", "verdict"),
    [
        ((1.0, 2.0, 9.0), Aim(limit=2), "met"),
        ((1.0, 2.0, 9.0), Aim(limit=1.9), "NOT MET"),
        ((1.0, 2.0, 9.0), Aim(limit=2, at_least=True), "met"),
        ((9.0,), Aim(limit=2, at_least=True, possible=8), "can't be true"),
        ((1.0,), None, ""),
        ((), Aim(limit=2), "not measured"),
    ],
)
def test_the_median_is_held_against_the_aim(
    values: tuple[float, ...], aim: Aim | None, verdict: str
) -> None:
    assert Figure(name="it", unit="s", values=values, aim=aim).verdict == verdict


def test_the_table_shows_the_median_its_range_and_its_aim() -> None:
    figure = Figure(name="it", unit="s", values=(3.0, 1.0, 2.0), aim=Aim(limit=5))
    row = table([figure]).splitlines()[2]
    assert row.split() == ["it", "2", "s", "1", "-", "3", "<=", "5", "met"]
