from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from trap_hpc.pipeline.records import EXTRACTED, SOURCE
from trap_hpc.pipeline.sources import alpha, derive

GOLDEN = Path(__file__).parent / "data" / "golden"


def golden_rows(name: str) -> dict[str, np.ndarray]:
    with (GOLDEN / name / "extractedsource.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    names = [n for n in EXTRACTED.names or () if n != "gaussian"]
    return {n: np.array([float(row[n]) for row in rows]) for n in names}


@pytest.mark.parametrize("name", ["split", "crowded"])
def test_derived_columns_are_those_of_trap(name: str) -> None:
    golden = golden_rows(name)
    sources = np.zeros(golden["ra"].size, SOURCE)
    for column in SOURCE.names or ():
        if column != "gaussian":
            sources[column] = golden[column]
    derived = derive(sources)
    for column, expected in golden.items():
        np.testing.assert_allclose(derived[column], expected, rtol=1e-14, atol=1e-15)


def test_an_unbounded_position_has_a_radius_of_360_arcsec() -> None:
    sources = np.zeros(1, SOURCE)
    sources["error_radius"], sources["ns_sys_err"] = np.inf, 10.0
    (row,) = derive(sources)
    assert row["error_radius"] == 360
    assert row["uncertainty_ns"] == pytest.approx(np.hypot(360, 10) / 3600)


def test_no_sources_derive_no_rows() -> None:
    assert derive(np.zeros(0, SOURCE)).dtype == EXTRACTED


def test_a_circle_about_a_pole_takes_in_all_right_ascensions() -> None:
    half = alpha(np.array([1.0, 1.0, 1.0]), np.array([0.0, 60.0, -89.5]))
    assert half[0] == pytest.approx(1.0)
    assert half[1] == pytest.approx(2.0, rel=0.01)
    assert half[2] == 180
