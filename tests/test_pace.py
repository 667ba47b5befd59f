"""How long batches are, and how long they may take."""

from __future__ import annotations

import pytest

from trap_hpc.run.pace import (
    FIRST_LIMIT_S,
    GENEROUS,
    LATE,
    LEAST_LATE_S,
    LEAST_LIMIT_S,
    Pace,
)


def test_an_image_may_take_long_while_nobody_knows_how_long_images_take() -> None:
    assert Pace().may_take_s("measure", 1) == FIRST_LIMIT_S


def test_quick_images_have_two_minutes() -> None:
    pace = Pace()
    pace.learn("measure", 0.1)
    assert pace.may_take_s("measure", 1) == LEAST_LIMIT_S


def test_slow_images_have_many_times_as_long_as_the_slowest() -> None:
    pace = Pace()
    for seconds in (30.0, 60.0, 20.0):
        pace.learn("measure", seconds)
    assert pace.may_take_s("measure", 1) == GENEROUS * 60.0


def test_a_batch_has_the_time_of_one_that_is_slow_and_of_all_others() -> None:
    pace = Pace()
    pace.learn("measure", 2.0)
    assert pace.may_take_s("measure", 11) == LEAST_LIMIT_S + 10 * 2.0


def test_the_profile_has_the_last_word_on_an_image() -> None:
    pace = Pace(limit_s=7.0)
    assert pace.may_take_s("measure", 1) == 7.0
    pace.learn("measure", 60.0)
    assert pace.may_take_s("measure", 1) == 7.0


@pytest.mark.parametrize(("seconds", "items"), [(0.1, 15), (3.0, 10)])
def test_a_batch_is_late_after_many_times_its_time(seconds: float, items: int) -> None:
    pace = Pace()
    pace.learn("measure", seconds)
    late_s = pace.late_s("measure", items)
    assert late_s == max(LEAST_LATE_S, LATE * seconds * items)


def test_what_a_batch_should_take_is_what_others_took() -> None:
    pace = Pace()
    pace.learn("force", 0.5)
    assert pace.expected_s("force", 4) == 2.0


def batches_of(images: int, workers: int) -> int:
    """Count the batches of a run whose images are all there from the beginning."""
    pace, total, batches = Pace(), 0, 0
    for step in ("scan", "measure", "force"):
        total, left = total + images, images
        while left > 0:
            left -= min(left, pace.size(step, left, workers, total))
            batches += 1
    return batches


@pytest.mark.parametrize("workers", [8, 1000])
def test_there_are_thousands_of_batches_however_many_images(workers: int) -> None:
    """And as many files in a folder of a shared file system."""
    assert batches_of(1_000_000, workers) < 15_000
