"""Fluxes, forced fits that are owed, and monitored positions: each rule by itself."""

from __future__ import annotations

import numpy as np
import pytest

from tests.scene import CENTRE, Fit, Scene, flux_one, image, owed_to
from trap_hpc.pipeline.lightcurves.fluxes import variability
from trap_hpc.pipeline.records import MeasuredImage, Rows

HIGH = 160e6
"""Another band than that of images by default."""


def failing(*calls: int) -> Fit:
    """Forced fits of 1 Jy, but for those calls, counted from 0."""
    made = iter(range(1000))

    def fit(request: np.void) -> Rows | None:
        return None if next(made) in calls else flux_one(request)

    return fit


def empty(time: int, freq_eff_hz: float = 150e6) -> MeasuredImage:
    return image(time=time, freq_eff_hz=freq_eff_hz)


def counts(scene: Scene) -> list[int]:
    found: list[int] = scene.final().runningcatalog["forcedfits_count"].tolist()
    return found


def test_a_source_that_an_image_does_not_show_is_fitted_where_it_is() -> None:
    scene = Scene()
    scene.see(image((0, 0), time=0))
    step = scene.see(empty(1))
    (request,) = step.images[0].requests
    known = scene.front.sources().runcat
    assert request["target"] == 0
    assert (request["ra"], request["decl"]) == (known["wm_ra"][0], known["wm_decl"][0])
    assert scene.types() == {1: [4, 7]}


def test_a_source_first_seen_at_the_same_time_is_not_fitted() -> None:
    scene = Scene()
    step = scene.see(image((0, 0), time=0), empty(0, freq_eff_hz=HIGH))
    assert owed_to(step, 1) == []


def test_a_child_is_first_seen_when_its_parent_split() -> None:
    scene = Scene()
    scene.see(image((0, 0), time=0))
    step = scene.see(image((-8, 0), (8, 0), time=1), empty(1, freq_eff_hz=HIGH))
    assert owed_to(step, 1) == []
    assert owed_to(scene.see(empty(2))) == [1, 2]


def test_a_source_is_fitted_in_images_of_its_regions_only() -> None:
    scene = Scene()
    scene.see(image((0, 0), time=0))
    assert owed_to(scene.see(image(time=1, centre=(10.0, 50.0)))) == []


def test_fits_expire_until_the_source_is_seen_again() -> None:
    scene = Scene()
    scene.see(image((0, 0), time=0))
    asked = [owed_to(scene.see(empty(time))) for time in (1, 2, 3)]
    scene.see(image((0, 0), time=4))
    asked.append(owed_to(scene.see(empty(5))))
    assert asked == [[0], [0], [], [0]]
    assert scene.types() == {1: [4, 7, 7, 3, 7]}


def test_each_image_of_a_time_counts_but_none_before_the_time_is_over() -> None:
    scene = Scene()
    scene.see(image((0, 0), time=0))
    step = scene.see(empty(1), empty(1, freq_eff_hz=HIGH), empty(1))
    assert [owed_to(step, n) for n in range(3)] == [[0], [0], [0]]
    assert counts(scene) == [3]
    assert owed_to(scene.see(empty(2))) == []


def test_a_source_seen_in_any_band_counts_anew_before_the_fits_of_that_time() -> None:
    scene = Scene()
    scene.see(image((0, 0), time=0))
    scene.see(empty(1))
    scene.see(empty(2), image((0, 0), time=2, freq_eff_hz=HIGH))
    assert counts(scene) == [1]
    assert scene.types() == {1: [4, 7, 3, 7]}


def test_a_fit_that_failed_does_not_count_and_is_owed_again() -> None:
    scene = Scene(fit=failing(0))
    scene.see(image((0, 0), time=0))
    for time in (1, 2, 3, 4):
        scene.see(empty(time))
    assert counts(scene) == [2]
    assert scene.types() == {1: [4, 7, 7]}


def test_a_fit_without_a_finite_error_has_failed() -> None:
    def unbounded(request: np.void) -> Rows:
        row = flux_one(request)
        row["f_int_err"] = np.inf
        return row

    scene = Scene(fit=unbounded)
    scene.see(image((0, 0), time=0))
    scene.see(empty(1))
    assert counts(scene) == [0]


def test_a_fit_is_dropped_if_a_later_image_of_the_time_replaces_its_source() -> None:
    scene = Scene()
    scene.see(image((0, 0), time=0))
    split = image((-8, 0), (8, 0), time=1, freq_eff_hz=HIGH)
    step = scene.see(empty(1), split)
    assert owed_to(step, 0) == []
    assert scene.types() == {2: [6, 2], 3: [6, 2]}


def test_each_band_has_averages_of_its_own() -> None:
    scene = Scene()
    for time, freq in enumerate((150e6, HIGH, 150e6)):
        scene.see(image((0, 0, 1.0 + time), time=time, freq_eff_hz=freq))
    rows = scene.final().runningcatalog_flux
    assert rows[["runcat", "band", "f_datapoints"]].tolist() == [(1, 1, 2), (1, 2, 1)]
    assert rows["avg_f_peak"] == pytest.approx([2.0, 2.0])


def test_children_inherit_the_averages_of_the_band_of_the_split_only() -> None:
    scene = Scene()
    scene.see(image((0, 0), time=0), image((0, 0), time=0, freq_eff_hz=HIGH))
    scene.see(image((-8, 0), (8, 0), time=1))
    scene.see(image((-8, 0), (8, 0), time=2, freq_eff_hz=HIGH))
    rows = scene.final().runningcatalog_flux
    found = rows[["runcat", "band", "f_datapoints"]].tolist()
    assert found == [(2, 1, 2), (2, 2, 1), (3, 1, 2), (3, 2, 1)]


def test_a_point_carries_v_and_eta_of_its_band_up_to_then() -> None:
    scene = Scene()
    for time, flux in enumerate((1.0, 2.0, 4.0)):
        scene.see(image((0, 0, flux), time=time))
    scene.final()
    f = 1.1 * np.array([1.0, 2.0, 4.0])
    w = 1 / (0.12 * np.array([1.0, 2.0, 4.0])) ** 2
    mean = (w * f).sum() / w.sum()
    last = scene.memory.curves[1][2]
    assert last["v_int"] == pytest.approx(f.std(ddof=1) / f.mean())
    assert last["eta_int"] == pytest.approx((w * (f - mean) ** 2).sum() / 2)
    assert scene.memory.curves[1]["f_datapoints"].tolist() == [1, 2, 3]


def numbers(n: int, mean: float, square: float) -> tuple[float, float]:
    one = np.ones(1)
    found = variability(
        np.array([n]), one * mean, one * square, one, one * mean, one * square
    )
    return float(found.v_int[0]), float(found.eta_int[0])


def test_a_single_point_does_not_vary() -> None:
    assert numbers(1, 2.0, 4.0) == (0.0, 0.0)


def test_a_tiny_variance_is_none() -> None:
    assert numbers(2, 1.0, 1.0 + 7e-14)[0] == 0.0
    assert numbers(2, 1.0, 1.0 + 9e-14)[0] > 0


def test_a_variance_below_zero_is_none() -> None:
    assert numbers(5, 1000.0, 1000.0**2 - 1e-9)[0] == 0.0


def test_a_mean_of_zero_is_taken_as_a_microjansky() -> None:
    assert numbers(2, 0.0, 1.0)[0] == pytest.approx(np.sqrt(2) * 1e6)


def test_a_refused_image_owes_nothing() -> None:
    scene = Scene(monitor=[CENTRE])
    step = scene.see(image(time=0, rejected=True))
    assert len(scene.back.owed(step)[0]) == 0


def test_extractions_are_counted_blind_ones_before_fits_within_a_time() -> None:
    scene = Scene(monitor=[CENTRE])
    scene.see(image((300, 0), time=0))
    step = scene.front.step([empty(1), image((300, 0), time=1, freq_eff_hz=HIGH)])
    rows = scene.take(step)
    assert rows.extracted_id.tolist() == [3, 4, 5, 6]
    assert rows.extract_type.tolist() == [0, 1, 2, 2]
    assert rows.extracted_image.tolist() == [3, 2, 2, 3]
    assert rows.ff_runcat.tolist() == [0, 1, 0, 0]
    assert rows.ff_monitor.tolist() == [0, 0, 1, 1]
    assert rows.associations["xtrsrc"].tolist() == [3, 4, 5, 6]


def test_association_may_run_far_ahead_of_the_light_curves() -> None:
    places = [[(0, 0)], [], [(-8, 0), (8, 0)], [(8, 0)], [], []]
    images = [image(*at, time=time) for time, at in enumerate(places)]
    close, ahead = Scene(fit=failing(0, 2)), Scene(fit=failing(0, 2))
    for one in images:
        close.see(one)
    for step in [ahead.front.step([one]) for one in images]:
        ahead.take(step)
    assert close.types() == ahead.types()
    assert (
        close.final().runningcatalog.tolist() == ahead.final().runningcatalog.tolist()
    )


def test_what_is_owed_may_be_asked_twice() -> None:
    scene = Scene()
    scene.see(image((0, 0), time=0))
    step = scene.front.step([image((0, 0), time=1), empty(1), empty(1)])
    first, second = scene.back.owed(step), scene.back.owed(step)
    assert [rows.tolist() for rows in first] == [rows.tolist() for rows in second]
