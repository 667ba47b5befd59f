"""Which extractions belong to one source: each rule by itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.scene import CALM, Scene, image, types_of
from trap_hpc.config.parameters import Association

MERIDIAN = 0.0, 20.0
WIDE_ERRORS = 60.0


def test_an_extraction_without_a_partner_founds_a_source() -> None:
    scene = Scene()
    assert types_of(scene.see(image((0, 0), (300, 0), time=0))) == [4, 4]


def test_an_extraction_near_one_source_is_its_next_point() -> None:
    scene = Scene()
    scene.see(image((0, 0), time=0))
    step = scene.see(image((6, 8), time=1))
    (match,) = step.images[0].matches
    assert match["type"] == 3
    assert match["distance_arcsec"] == pytest.approx(10, abs=1e-3)
    assert match["r"] == pytest.approx(10 / np.sqrt(2 * (5**2 + 2**2)), rel=1e-4)


def test_the_mean_position_is_weighted_by_the_errors() -> None:
    scene = Scene()
    scene.see(image((0, 0, 1.0, 0.0), time=0), image((0, 9, 1.0, 5.0), time=0))
    (row,) = scene.final().runningcatalog
    assert (row["wm_decl"] - 50) * 3600 == pytest.approx(3.0, abs=1e-3)
    assert row["wm_uncertainty_ns"] * 3600 == pytest.approx(np.sqrt(50 / 3))
    assert row["datapoints"] == 2


def test_a_partner_lies_within_the_limit_of_beam_widths_for_all_errors() -> None:
    scene = Scene()
    scene.see(image((0, 0, 1.0, WIDE_ERRORS), time=0))
    far = image((0, 151, 1.0, WIDE_ERRORS), time=1)
    near = image((0, -149, 1.0, WIDE_ERRORS), time=2)
    assert types_of(scene.see(far)) == [4]
    assert types_of(scene.see(near)) == [3]


def test_a_partner_lies_within_the_de_ruiter_radius() -> None:
    scene = Scene()
    scene.see(image((0, 0), time=0))
    assert types_of(scene.see(image((0, 45), time=1))) == [4]


def test_sources_meet_across_the_meridian() -> None:
    scene = Scene()
    scene.see(image((-4, 0), time=0, centre=MERIDIAN))
    step = scene.see(image((4, 0), time=1, centre=MERIDIAN))
    assert types_of(step) == [3]
    (row,) = scene.final().runningcatalog
    assert min(row["wm_ra"], 360 - row["wm_ra"]) < 1e-6


def test_a_mean_just_below_zero_is_a_right_ascension_below_360() -> None:
    scene = Scene()
    scene.see(image((-8, 0), time=0, centre=MERIDIAN))
    scene.see(image((2, 0), time=1, centre=MERIDIAN))
    (row,) = scene.final().runningcatalog
    assert 359.99 < row["wm_ra"] < 360
    assert row["avg_wra"] == pytest.approx(row["wm_ra"] * row["avg_weight_ra"])


def test_an_image_beside_the_meridian_does_not_look_across() -> None:
    scene = Scene()
    beside = (2.0, 20.0)
    west = -2.0 * np.cos(np.radians(20)) * 3600
    scene.see(image((west - 4, 0), time=0, centre=beside))
    assert types_of(scene.see(image((west + 4, 0), time=1, centre=beside))) == [4]


def test_sources_meet_at_the_pole_whatever_their_right_ascensions() -> None:
    scene = Scene()
    pole = (0.0, 90.0)
    scene.see(image((0, 4), time=0, centre=pole))
    step = scene.see(image((0, -4), time=1, centre=pole))
    known = scene.front.sources().runcat
    assert types_of(step) == [3]
    assert abs(known["wm_decl"][0] - 90) < 1e-2


def test_an_image_at_the_pole_that_is_centred_on_180_does_not_look_across_0() -> None:
    # TraP's half range there is 180 degrees, which from 180 just doesn't reach 0.
    pole = (180.0, 90.0)
    east, west = image((1, 4), time=0, centre=pole), image((-1, 4), time=1, centre=pole)
    scene = Scene()
    scene.see(east)
    assert abs(east.blind["ra"][0] - west.blind["ra"][0]) > 300
    assert types_of(scene.see(west)) == [4]


def test_all_extractions_near_one_source_replace_it() -> None:
    scene = Scene()
    scene.see(image((0, 0), time=0, rb_smaj_deg=0.03))
    step = scene.see(image((-8, 0), (8, 0), time=1))
    assert types_of(step) == [2, 2]
    assert scene.front.sources().alive.tolist() == [False, True, True]
    assert scene.types() == {2: [6, 2], 3: [6, 2]}


def test_children_start_anew_from_the_mean_of_their_parent() -> None:
    scene = Scene()
    scene.see(image((0, 0), time=0))
    scene.see(image((-8, 0), (8, 0), time=1))
    rows = scene.final().runningcatalog
    assert rows["datapoints"].tolist() == [2, 2]
    assert rows["xtrsrc"].tolist() == [2, 3]
    east = (rows["wm_ra"] - 120) * np.cos(np.radians(50)) * 3600
    assert east == pytest.approx([-4, 4], abs=1e-3)


def test_several_sources_share_one_extraction() -> None:
    scene = Scene()
    scene.see(image((-10, 0), (10, 0), time=0))
    step = scene.see(image((0, 0), time=1))
    assert types_of(step) == [3, 3]
    assert step.images[0].matches["row"].tolist() == [0, 0]
    assert scene.types() == {1: [4, 3], 2: [4, 3]}


def test_many_to_many_keeps_the_nearest_source_of_each_extraction() -> None:
    scene = Scene()
    scene.see(image((-10, 0), (10, 0), time=0))
    matches = scene.see(image((-9, 0), (11, 0), time=1)).images[0].matches
    assert matches["type"].tolist() == [3, 3]
    assert matches["source"].tolist() == [0, 1]
    assert matches["row"].tolist() == [0, 1]


def test_a_source_with_a_single_pair_keeps_it_beside_many_to_many() -> None:
    # Sources a b c and extractions p q on a line: p meets a, b; q meets b, c. b has
    # two pairs, so p and q choose among b's alone; a and c keep their only ones.
    scene = Scene()
    scene.see(image((-40, 0), (0, 0), (40, 0), time=0))
    matches = scene.see(image((-19, 0), (19, 0), time=1)).images[0].matches
    assert matches["type"].tolist() == [2, 2, 3, 3]
    assert matches["base"].tolist() == [1, 1, 0, 2]


def test_a_source_whose_pairs_were_all_discarded_is_not_seen() -> None:
    scene = Scene()
    scene.see(image((-1, 0), (10, 0), time=0))
    step = scene.see(image((-3, 0), (0, 0), time=1))
    (seen,) = step.images
    assert seen.matches["base"].tolist() == [0, 0]
    assert seen.requests["target"].tolist() == [1]


def test_no_extraction_founds_two_sources() -> None:
    # Twins at one place: each extraction is equally near to both.
    scene = Scene()
    scene.see(image((0, 0), (0, 0), time=0))
    step = scene.see(image((-8, 0), (8, 0), time=1))
    rows = scene.final().runningcatalog
    assert types_of(step)[:2] == [2, 2]
    assert len(set(rows["xtrsrc"].tolist())) == len(rows)


def test_flux_plays_no_part() -> None:
    scene = Scene()
    scene.see(image((0, 0, 100.0), time=0))
    assert types_of(scene.see(image((0, 0, 0.01), time=1))) == [3]


def test_images_of_one_time_see_what_the_one_before_found() -> None:
    scene = Scene()
    step = scene.see(image((0, 0), time=0), image((3, 0), time=0))
    assert [types_of(step, 0), types_of(step, 1)] == [[4], [3]]


def test_an_image_without_sources_is_associated_with_nothing() -> None:
    scene = Scene()
    scene.see(image(time=0))
    scene.see(image((0, 0), time=1))
    step = scene.see(image(time=2))
    assert len(step.images[0].matches) == 0
    assert step.images[0].requests["target"].tolist() == [0]


def test_a_refused_image_gives_nothing_but_its_band_and_region() -> None:
    scene = Scene()
    step = scene.see(image((0, 0), time=0, rejected=True))
    (refused,) = step.images
    assert len(refused.matches) == len(refused.candidates) == 0
    assert (refused.band, refused.region) == (1, 1)
    final = scene.final()
    assert len(final.skyregion) == len(final.frequencyband) == 1


def test_a_wider_limit_of_beam_widths_finds_more() -> None:
    wide = Association(beamwidths_limit=10.0)
    scene = Scene(replace(CALM, association=wide))
    scene.see(image((0, 0, 1.0, WIDE_ERRORS), time=0))
    far = image((0, 250, 1.0, WIDE_ERRORS), time=1)
    assert types_of(scene.see(far)) == [3]
