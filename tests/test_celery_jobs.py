"""What is known of the jobs that workers are in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.test_celery_books import RECEIPT, Desk, here, task
from trap_hpc.engines.base import Lost, TimedOut
from trap_hpc.engines.celery.messages import Done, Overran, Taken


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_task_that_took_too_long_is_told_with_its_worker(desk: Desk) -> None:
    desk.join()
    sent = desk.books.send(task())
    assert desk.hear(Overran(worker="w", id=sent)) == [
        TimedOut(task=task(), worker="w")
    ]


def test_a_job_that_has_begun_again_has_lost_what_it_had(desk: Desk) -> None:
    """It was put back into the queue: its worker had no time to say so."""
    before = replace(here("w"), worker="7_1.100@n")
    desk.hear(before)
    sent = desk.books.send(task())
    desk.hear(Taken(worker=before.worker, id=sent))
    again = replace(before, worker="7_1.200@n")
    assert desk.hear(again) == [Lost(task=task(), worker=before.worker)]
    assert [member.name for member in desk.books.members] == [again.worker]
    desk.hear(before)
    assert [member.name for member in desk.books.members] == [again.worker]


def test_other_nodes_of_the_same_job_have_workers_of_their_own(desk: Desk) -> None:
    one = replace(here("w"), worker="a", job="12.3", node="n1")
    desk.hear(one, replace(one, worker="b", node="n2"))
    assert len(desk.books.members) == 2


def test_it_is_known_who_has_done_something_and_how_long_its_job_runs(
    desk: Desk,
) -> None:
    desk.hear(replace(here(), left_s=100.0))
    sent = desk.books.send(task())
    desk.hear(Done(worker="w", id=sent, receipt=RECEIPT))
    desk.now_s = 30
    (member,) = desk.books.members
    assert (member.done, member.left_s) == (1, 70.0)
