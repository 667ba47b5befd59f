"""Monitored positions: each rule by itself."""

from __future__ import annotations

import pytest

from tests.scene import CENTRE, Scene, image, owed_to
from tests.test_light_curves import HIGH, empty, failing


def test_a_monitored_position_becomes_a_source_with_its_first_fit() -> None:
    scene = Scene(monitor=[CENTRE], fit=failing(0))
    for time in range(3):
        scene.see(empty(time), empty(time, freq_eff_hz=HIGH))
    assert scene.types() == {1: [8, 9, 9, 9, 9]}
    final = scene.final()
    (row,) = final.runningcatalog
    assert (row["datapoints"], row["forcedfits_count"]) == (5, 0)
    assert row["mon_src"]
    assert final.monitor.tolist() == [(1, 1, *CENTRE)]
    assert final.runningcatalog_flux["f_datapoints"].tolist() == [2, 3]
    assert len(final.assocskyrgn) == 0


def test_a_position_that_was_never_fitted_is_no_source() -> None:
    scene = Scene(monitor=[CENTRE], fit=lambda _: None)
    scene.see(empty(0))
    final = scene.final()
    assert len(final.runningcatalog) == 0
    assert final.monitor["runcat"].tolist() == [0]


def test_a_monitored_position_is_never_joined_by_what_is_seen_there() -> None:
    scene = Scene(monitor=[CENTRE])
    for time in range(2):
        scene.see(image((0, 0), time=time))
    assert scene.types() == {1: [4, 3], 2: [8, 9]}


def test_a_region_made_later_takes_in_a_monitored_position() -> None:
    scene = Scene(monitor=[CENTRE])
    scene.see(empty(0))
    ra, decl = CENTRE
    step = scene.see(image(time=1, centre=(ra, decl + 0.5)))
    (row,) = scene.final().assocskyrgn
    assert (row["runcat"], row["skyrgn"]) == (1, 2)
    assert row["distance_deg"] == pytest.approx(0.5)
    assert owed_to(step) == [-1]
