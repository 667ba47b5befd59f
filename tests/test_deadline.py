"""A worker's own end: it begins nothing that it can't finish."""

from __future__ import annotations

import pytest

from tests.stand_ins import Time
from trap_hpc.engines.deadline import LEAVING_S, Deadline


@pytest.fixture
def time() -> Time:
    return Time()


def test_nobody_leaves_who_does_not_know_when(time: Time) -> None:
    deadline = Deadline(None, time)
    time.sleep(1e9)
    assert deadline.left_s is None
    assert not deadline.near
    assert deadline.leaves_time_for(1e9)


def test_it_is_counted_down_by_our_own_clock(time: Time) -> None:
    deadline = Deadline(100.0, time)
    time.sleep(30)
    assert deadline.left_s == 70.0


def test_a_task_is_taken_only_if_it_may_take_twice_its_time(time: Time) -> None:
    deadline = Deadline(3600.0, time)
    time.sleep(3600 - LEAVING_S - 100)
    assert deadline.leaves_time_for(49.0)
    assert not deadline.leaves_time_for(51.0)
    assert not deadline.near


def test_a_worker_that_has_most_of_its_time_takes_any_task(time: Time) -> None:
    """Or all would give it back, one after the other."""
    deadline = Deadline(60.0, time)
    time.sleep(29)
    assert deadline.leaves_time_for(1000.0)
    time.sleep(2)
    assert not deadline.leaves_time_for(1000.0)


def test_the_end_is_near_before_it_is_at_hand(time: Time) -> None:
    deadline = Deadline(3600.0, time)
    time.sleep(3600 - LEAVING_S)
    assert deadline.near
    assert not deadline.at_hand
    time.sleep(0.7 * LEAVING_S)
    assert deadline.at_hand


def test_short_jobs_are_left_in_their_last_tenth(time: Time) -> None:
    deadline = Deadline(60.0, time)
    time.sleep(53)
    assert not deadline.near
    time.sleep(2)
    assert deadline.near


def test_who_does_not_know_can_be_told_once(time: Time) -> None:
    deadline = Deadline(None, time)
    deadline.learn(100.0)
    deadline.learn(5000.0)
    assert deadline.left_s == 100.0
