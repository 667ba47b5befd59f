from __future__ import annotations

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from tests.radio import BEAM, gaussian, parameters
from trap_hpc.pipeline.finder.background import Cleared
from trap_hpc.pipeline.finder.connecting import connected
from trap_hpc.pipeline.finder.deblending import deblend
from trap_hpc.pipeline.finder.field import Field
from trap_hpc.pipeline.finder.islands import Islands, find_islands
from trap_hpc.pipeline.records import Floats


def islands_in(signal: Floats, **changes: float) -> Islands:
    """Islands of an image whose noise is 1 everywhere."""
    usable = np.ones(signal.shape, dtype=bool)
    field = Field(x0=0, y0=0, pixels=signal, usable=usable, complete=True)
    noise = np.ones_like(signal)
    made = Cleared(field=field, signal=signal, noise=noise, lowest_noise=0.001)
    return find_islands(made, parameters(**changes).source_extraction)


def picture(*rows: str) -> Floats:
    """Pixels of 9 sigma (#), 4 sigma (+) and none."""
    height = {"#": 9.0, "+": 4.0, ".": 0.0}
    return np.array([[height[letter] for letter in row] for row in rows])


@given(arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_pixels_are_connected_as_scipy_connects_them(
    mask: npt.NDArray[np.bool_],
) -> None:
    ours = connected(np.flatnonzero(mask), mask.shape[1])
    theirs = ndimage.label(mask)[0][mask]
    pairs = set(zip(ours.tolist(), theirs.tolist(), strict=True))
    assert len(pairs) == len(set(ours.tolist())) == len(set(theirs.tolist()))


def test_a_spiral_is_one_island() -> None:
    spiral = picture(
        "#######",
        "......#",
        "#####.#",
        "#...#.#",
        "#.###.#",
        "#.....#",
        "#######",
    )
    assert islands_in(spiral).counts.tolist() == [np.count_nonzero(spiral)]


def test_an_island_needs_a_pixel_at_the_detection_threshold() -> None:
    assert islands_in(picture("++..++", "+#..++")).counts.tolist() == [4]


def test_pixels_that_touch_by_their_corners_are_two_islands() -> None:
    assert islands_in(picture("#.", ".#")).counts.tolist() == [1, 1]


def test_rows_do_not_run_into_each_other() -> None:
    assert islands_in(picture("..#", "#..")).counts.tolist() == [1, 1]


def test_islands_come_column_by_column() -> None:
    made = islands_in(picture("....#", ".#...", "...#.", "#...."))
    assert made.pixels.x.tolist() == [0, 1, 3, 4]


def test_unusable_pixels_are_in_no_island() -> None:
    signal = picture("###", "###")
    usable = np.array([[True, True, False], [True, False, False]])
    field = Field(x0=0, y0=0, pixels=signal, usable=usable, complete=True)
    noise = np.ones_like(signal)
    made = Cleared(field=field, signal=signal, noise=noise, lowest_noise=0.001)
    assert find_islands(made, parameters().source_extraction).counts.tolist() == [3]


def test_an_empty_sky_has_no_islands() -> None:
    assert islands_in(np.zeros((20, 30))).starts.size == 0


def test_two_sources_are_taken_apart_between_their_peaks() -> None:
    pair = gaussian((40, 40), 14, 20, 100.0) + gaussian((40, 40), 24, 20, 60.0)
    whole = islands_in(pair)
    parts = deblend(whole, parameters(deblend_nthresh=32).source_extraction)
    assert whole.starts.size == 1
    peaks = (
        parts.at_peak(parts.pixels.x.astype(float)),
        parts.largest(parts.pixels.signal),
    )
    np.testing.assert_allclose(peaks, [[14, 24], [100, 60]], atol=0.1)


def test_a_single_source_stays_in_one_piece() -> None:
    whole = islands_in(gaussian((40, 40), 20, 20, 100.0, BEAM))
    parts = deblend(whole, parameters(deblend_nthresh=32).source_extraction)
    assert parts.counts.tolist() == whole.counts.tolist()
