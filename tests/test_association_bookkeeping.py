"""Bands, sky regions, new sources and the history of the noise: each rule by itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.night import offset
from tests.scene import CALM, CENTRE, Scene, image, types_of
from trap_hpc.config.parameters import Persistence, Quality

MARGIN = 9.0
"""Detection threshold of 8 and a margin of 1."""


def bands_of(scene: Scene, *freq_mhz: float, width_mhz: float = 2.0) -> list[int]:
    images = [
        image(time=0, freq_eff_hz=freq * 1e6, freq_bw_hz=width_mhz * 1e6)
        for freq in freq_mhz
    ]
    return [placed.band for placed in scene.see(*images).images]


def test_ranges_that_overlap_are_one_band() -> None:
    assert bands_of(Scene(), 150.0, 151.9, 148.1) == [1, 1, 1]


def test_ranges_that_touch_are_two_bands() -> None:
    assert bands_of(Scene(), 150.0, 152.0) == [1, 2]


def test_a_band_never_widens() -> None:
    assert bands_of(Scene(), 150.0, 151.5, 153.0) == [1, 1, 2]


def test_the_first_band_that_overlaps_counts() -> None:
    assert bands_of(Scene(), 150.0, 153.0, 151.5) == [1, 2, 1]


def test_a_maximal_bandwidth_replaces_that_of_the_image() -> None:
    narrow = replace(CALM, persistence=Persistence(bandwidth_max=1e6))
    assert bands_of(Scene(narrow), 150.0, 151.5) == [1, 2]


def test_an_image_without_bandwidth_is_a_band_of_its_own() -> None:
    assert bands_of(Scene(), 150.0, 150.0, width_mhz=0.0) == [1, 2]


def test_regions_are_the_same_if_centre_and_radius_are_equal() -> None:
    scene = Scene()
    ra, decl = CENTRE
    centres = [CENTRE, (ra + 1e-12, decl), (ra - 360, decl)]
    step = scene.see(*(image(time=0, centre=centre) for centre in centres))
    assert [placed.region for placed in step.images] == [1, 2, 1]


def test_a_new_source_belongs_to_all_regions_whose_circle_holds_it() -> None:
    scene = Scene()
    near, far = offset(*CENTRE, 0.5, 0), offset(*CENTRE, 2.0, 0)
    scene.see(image(time=0, centre=near), image(time=0, centre=far))
    scene.see(image((0, 0), time=1))
    rows = scene.final().assocskyrgn
    assert rows["skyrgn"].tolist() == [1, 3]
    assert rows["distance_deg"] == pytest.approx([0.5, np.nan], abs=1e-4, nan_ok=True)


def test_a_new_region_takes_in_the_sources_within_its_circle() -> None:
    scene = Scene()
    scene.see(image((0, 0), (-2000, 0), time=0))
    scene.see(image(time=1, centre=offset(*CENTRE, 0.5, 0)))
    rows = scene.final().assocskyrgn
    assert rows[["runcat", "skyrgn"]].tolist() == [(1, 1), (1, 2), (2, 1)]


def test_children_belong_to_the_regions_of_their_parent() -> None:
    scene = Scene()
    scene.see(image(time=0, centre=offset(*CENTRE, 0.5, 0)))
    scene.see(image((0, 0), time=1))
    scene.see(image((-8, 0), (8, 0), time=2))
    rows = scene.final().assocskyrgn
    assert rows[["runcat", "skyrgn"]].tolist() == [(2, 1), (2, 2), (3, 1), (3, 2)]
    own, nan, inherited, _ = rows["distance_deg"].tolist()
    assert own == inherited == pytest.approx(0.5, abs=1e-4)
    assert np.isnan(nan)


def newsources(scene: Scene) -> list[tuple[int, int, int]]:
    rows = scene.final().newsource
    columns = ["runcat", "previous_limits_image", "newsource_type"]
    found: list[tuple[int, int, int]] = rows[columns].tolist()
    return found


@pytest.mark.parametrize(
    ("flux", "expected"),
    [
        (MARGIN * 0.001, []),
        (MARGIN * 0.001 * 1.001, [(1, 1, 0)]),
        (MARGIN * 0.002, [(1, 1, 0)]),
        (MARGIN * 0.002 * 1.001, [(1, 1, 1)]),
    ],
)
def test_a_source_is_new_above_the_limits_of_an_earlier_image(
    flux: float, expected: list[tuple[int, int, int]]
) -> None:
    scene = Scene()
    scene.see(image(time=0, rms=(0.001, 0.002)))
    scene.see(image((0, 0, flux), time=1))
    assert newsources(scene) == expected


def test_a_source_of_the_first_image_is_not_new() -> None:
    scene = Scene()
    scene.see(image((0, 0), time=0))
    assert newsources(scene) == []


def test_an_image_of_the_same_time_is_not_earlier() -> None:
    scene = Scene()
    scene.see(image(time=0), image((0, 0), time=0))
    assert newsources(scene) == []


def test_an_image_of_another_band_says_nothing() -> None:
    scene = Scene()
    scene.see(image(time=0, freq_eff_hz=160e6))
    scene.see(image((0, 0), time=1))
    assert newsources(scene) == []


def test_a_refused_image_says_nothing() -> None:
    scene = Scene()
    scene.see(image(time=0, rejected=True))
    scene.see(image((0, 0), time=1))
    assert newsources(scene) == []


def test_an_image_of_unknown_noise_says_nothing() -> None:
    scene = Scene()
    scene.see(image(time=0, rms=(np.nan, np.nan)))
    scene.see(image((0, 0), time=1))
    assert newsources(scene) == []


def test_an_image_of_another_region_that_holds_the_source_counts() -> None:
    scene = Scene()
    scene.see(image(time=0, centre=offset(*CENTRE, 0.5, 0)))
    scene.see(image((0, 0), (-2000, 0), time=1))
    assert newsources(scene) == [(1, 1, 1)]


def test_the_deepest_earlier_image_sets_the_limits() -> None:
    scene = Scene()
    noise = [(0.003, 0.004), (0.001, 0.2), (0.001, 0.1), (0.001, 0.1)]
    for time, rms in enumerate(noise):
        scene.see(image(time=time, rms=rms))
    scene.see(image((0, 0, 1.0), time=9))
    assert newsources(scene) == [(1, 3, 1)]


def test_of_equally_deep_images_of_two_regions_the_earlier_counts() -> None:
    scene = Scene()
    scene.see(image(time=0), image(time=0, centre=offset(*CENTRE, 0.5, 0), rms=(1, 1)))
    scene.see(image(time=1, centre=offset(*CENTRE, 0.5, 0)))
    scene.see(image(time=2, centre=offset(*CENTRE, -0.5, 0)))
    scene.see(image((0, 0, 1.0), time=3))
    assert newsources(scene) == [(1, 1, 1)]


def test_children_of_a_new_source_are_new() -> None:
    scene = Scene()
    scene.see(image(time=0))
    scene.see(image((0, 0), time=1))
    scene.see(image((-8, 0), (8, 0), time=2))
    assert newsources(scene) == [(2, 1, 1), (3, 1, 1)]
    assert scene.final().newsource["trigger_xtrsrc"].tolist() == [1, 1]


def noisy(job_history: int, *rms: float, sigma: float = 1.5) -> list[bool]:
    """Say of a run of single images which are refused for their noise."""
    quality = Quality(rms_est_history=job_history, rms_rej_sigma=sigma)
    scene = Scene(replace(CALM, quality=quality))
    refused = []
    for time, value in enumerate(rms):
        step = scene.see(replace(image((0, 0), time=time), rms_qc=value))
        refused.append(step.images[0].rejection is not None)
    return refused


def test_noise_far_from_the_usual_refuses_an_image_once_there_is_history() -> None:
    assert noisy(4, 9.0, 1.0, 1.1) == [False] * 3
    assert noisy(4, 1.0, 1.0, 1.1, 9.0) == [False, False, False, True]


def test_history_holds_refused_images_and_the_latest_only() -> None:
    refused = noisy(4, 1.0, 1.1, 1.0, 9.0, 9.1, 9.0, 9.1)
    assert refused == [False, False, False, True, False, False, False]


def test_noise_that_is_no_number_is_no_history() -> None:
    assert noisy(3, 1.0, np.nan, 1.1, 1.0) == [False, False, False, False]


def test_all_images_of_a_time_are_in_the_history_before_one_is_checked() -> None:
    quality = Quality(rms_est_history=4, rms_rej_sigma=1.5)
    scene = Scene(replace(CALM, quality=quality))
    images = [replace(image(time=0), rms_qc=rms) for rms in (9.0, 1.0, 1.1, 1.0)]
    step = scene.see(*images)
    assert [placed.rejection is not None for placed in step.images][0]
    assert types_of(step) == []


def test_an_image_refused_for_its_history_leaves_no_extractions() -> None:
    quality = Quality(rms_est_history=1)
    scene = Scene(replace(CALM, quality=quality))
    step = scene.front.step([image((0, 0), time=0)])
    rows = scene.take(step)
    (refused,) = rows.images
    assert refused.rejection is not None
    assert "0.01 Jy" in refused.rejection.comment
    assert len(rows.extracted) == 0
