"""How long a run took to recover, by what was seen of it."""

from __future__ import annotations

import pytest

from tests.faults.recovery import is_over, recovery_s
from tests.faults.watcher import Seen, Sent


def sent(at_s: float, *images: str) -> Sent:
    return Sent(at_s, frozenset(images))


def test_it_is_over_when_all_batches_are_done_that_were_under_way() -> None:
    seen = Seen(
        sent={
            "measure-1-1": sent(1, "a"),
            "measure-1-2": sent(2, "b"),
            "measure-1-3": sent(12, "c"),
        },
        done={"measure-1-1.1.h5": 5, "measure-1-2.2.h5": 17, "measure-1-3.1.h5": 30},
    )
    assert recovery_s(seen, 10, None) == 7


def test_images_of_a_batch_that_was_cut_count_where_they_were_done() -> None:
    seen = Seen(
        sent={
            "measure-1-1": sent(1, "a", "b"),
            "measure-1-2": sent(12, "a"),
            "measure-1-3": sent(12, "b"),
            "force-1-4": sent(13, "a"),
        },
        done={"measure-1-2.1.h5": 20, "measure-1-3.1.h5": 22, "force-1-4.1.h5": 40},
    )
    assert recovery_s(seen, 10, None) == 12


def test_it_is_not_over_before_all_workers_are_back() -> None:
    seen = Seen(workers=[(9, 6, 6), (14, 4, 6), (21, 6, 6)])
    assert recovery_s(seen, 10, None) == 11


@pytest.mark.parametrize("workers", [[(14.0, 4, 6)], [(14.0, 6, 6)], []])
def test_workers_do_not_count_who_stay_or_never_come_back(
    workers: list[tuple[float, int, int]],
) -> None:
    assert recovery_s(Seen(workers=workers), 10, None) is None


def test_after_the_end_of_a_launcher_it_is_over_with_the_first_batch() -> None:
    seen = Seen(done={"scan-1-1.1.h5": 5, "scan-2-2.1.h5": 30, "scan-2-3.1.h5": 31})
    assert recovery_s(seen, 10, resumed_s=22) == 8


@pytest.mark.parametrize(
    ("done", "workers", "over"),
    [
        ({}, (6, 6), False),
        ({"measure-1-1.1.h5": 12.0}, (6, 6), False),
        ({"measure-1-1.1.h5": 12.0, "measure-1-2.2.h5": 17.0}, (4, 6), False),
        ({"measure-1-1.1.h5": 12.0, "measure-1-2.2.h5": 17.0}, (6, 6), True),
    ],
    ids=["nothing is done yet", "one is under way", "workers are missing", "over"],
)
def test_the_next_comes_when_the_last_is_over(
    done: dict[str, float], workers: tuple[int, int], over: bool
) -> None:
    seen = Seen(
        sent={"measure-1-1": sent(1, "a"), "measure-1-2": sent(2, "b")},
        done=done,
        workers=[(18.0, *workers)],
    )
    assert is_over(seen, 10, 20, None) is over
    assert is_over(seen, 10, 100, None), "some workers never come back"
