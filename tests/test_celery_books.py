"""Who works on what, without a broker: reports in, outcomes out."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from trap_hpc.engines.base import Died, Failed, Finished, Lost, Outcome
from trap_hpc.engines.celery.books import NOBODY, Books
from trap_hpc.engines.celery.messages import (
    Done,
    Here,
    Killed,
    Left,
    Raised,
    Report,
    Returned,
    Taken,
)
from trap_hpc.engines.celery.unclaimed import CLAIM_S
from trap_hpc.pipeline.tasks import Receipt, Task

LEASE_S = 60.0
RECEIPT = Receipt(file="f", checksum="c", items=1, seconds=1.0)


@dataclass
class Desk:
    """Books with a clock that stands still until it is moved."""

    now_s: float = 0.0
    books: Books = field(init=False)

    def __post_init__(self) -> None:
        self.books = Books(LEASE_S, lambda: self.now_s)

    def join(self, name: str = "w", slots: int = 1, held: tuple[str, ...] = ()) -> None:
        assert self.hear(here(name, slots, held)) == []

    def hear(self, *reports: Report) -> list[Outcome]:
        return [outcome for report in reports for outcome in self.books.hear(report)]

    def overdue(self) -> list[Outcome]:
        return list(self.books.overdue())


def here(name: str = "w", slots: int = 1, held: tuple[str, ...] = ()) -> Here:
    return Here(
        worker=name, job=f"job-{name}", node="n", slots=slots, address="a", held=held
    )


def task(name: str = "t") -> Task:
    return Task(run="r", batch=name)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_capacity_is_two_tasks_a_slot_of_those_that_are_there(desk: Desk) -> None:
    assert desk.books.capacity == 0
    desk.join("a", slots=3)
    desk.join("b", slots=1)
    assert desk.books.capacity == 8
    desk.join("a", slots=0)
    assert desk.books.capacity == 2
    desk.hear(Left(worker="b"))
    assert desk.books.capacity == 0


def test_each_sending_has_one_outcome(desk: Desk) -> None:
    desk.join()
    sent = desk.books.send(task())
    done = Done(worker="w", id=sent, receipt=RECEIPT)
    assert desk.hear(Taken(worker="w", id=sent), done) == [
        Finished(task=task(), receipt=RECEIPT)
    ]
    assert desk.hear(done, Taken(worker="w", id=sent), Left(worker="w")) == []


def test_what_a_task_raised_and_what_killed_its_process_is_passed_on(
    desk: Desk,
) -> None:
    desk.join(slots=2)
    one, two = (desk.books.send(task(name)) for name in "ab")
    assert desk.hear(
        Raised(worker="w", id=one, error="e", fatal=True),
        Killed(worker="w", id=two, how="signal 9"),
    ) == [
        Failed(task=task("a"), error="e", fatal=True),
        Died(task=task("b"), worker="w", how="signal 9"),
    ]


def test_a_worker_that_is_silent_for_a_lease_is_given_up(desk: Desk) -> None:
    desk.join()
    sent = desk.books.send(task())
    desk.hear(Taken(worker="w", id=sent))
    desk.now_s = LEASE_S
    assert desk.overdue() == []
    desk.now_s = LEASE_S + 1
    assert desk.overdue() == [Lost(task=task(), worker="w")]
    assert desk.books.members == []


def test_it_may_come_back_but_not_with_what_it_had(desk: Desk) -> None:
    desk.join()
    sent = desk.books.send(task())
    desk.hear(Taken(worker="w", id=sent))
    desk.now_s = LEASE_S + 1
    desk.overdue()
    desk.join(held=(sent,))
    assert desk.hear(Done(worker="w", id=sent, receipt=RECEIPT)) == []
    assert desk.books.capacity == 2


def test_a_job_that_has_ended_takes_its_workers_with_it_for_good(desk: Desk) -> None:
    desk.join("w")
    desk.join("other")
    sent = desk.books.send(task())
    desk.hear(Taken(worker="w", id=sent))
    assert list(desk.books.forget({"job-w"})) == [Lost(task=task(), worker="w")]
    desk.hear(here("w"))
    assert [member.name for member in desk.books.members] == ["other"]


def test_a_task_that_its_worker_does_not_list_any_more_is_lost(desk: Desk) -> None:
    """As when a report vanished with a broker."""
    desk.join(slots=2)
    one, two = (desk.books.send(task(name)) for name in "ab")
    desk.hear(Taken(worker="w", id=one), Taken(worker="w", id=two))
    assert desk.hear(here(held=(two,))) == [Lost(task=task("a"), worker="w")]


def test_a_sign_of_life_claims_what_it_lists(desk: Desk) -> None:
    desk.join()
    sent = desk.books.send(task())
    desk.join(held=(sent,))
    desk.now_s = CLAIM_S + 1
    desk.books.unclaimed.queue_is_empty()
    desk.now_s += CLAIM_S + 1
    assert desk.overdue() == []


def test_a_worker_that_was_given_up_claims_nothing(desk: Desk) -> None:
    sent = desk.books.send(task())
    assert desk.hear(Taken(worker="unknown", id=sent)) == [
        Lost(task=task(), worker="unknown")
    ]


def test_a_task_is_returned_only_by_who_may_have_it(desk: Desk) -> None:
    desk.join("a")
    desk.join("b")
    held, free = (desk.books.send(task(name)) for name in ("held", "free"))
    desk.hear(Taken(worker="a", id=held))
    assert desk.hear(Returned(worker="b", id=held)) == []
    assert desk.hear(Returned(worker="b", id=free)) == [
        Lost(task=task("free"), worker="b", begun=False)
    ]
    assert desk.hear(Returned(worker="a", id=held)) == [
        Lost(task=task("held"), worker="a", begun=False)
    ]


def test_a_task_is_lost_that_younger_ones_have_overtaken(desk: Desk) -> None:
    desk.join(slots=2)
    older, younger = (desk.books.send(task(name)) for name in ("older", "younger"))
    assert older != younger
    desk.now_s = 1
    desk.hear(Taken(worker="w", id=younger))
    desk.now_s = 1 + CLAIM_S
    assert desk.overdue() == []
    desk.now_s += 0.1
    assert desk.overdue() == [Lost(task=task("older"), worker=NOBODY)]


def test_a_task_may_wait_in_the_queue_for_ever(desk: Desk) -> None:
    desk.join()
    desk.books.send(task())
    assert not desk.books.unclaimed.doubtful
    desk.now_s = 50
    assert desk.books.unclaimed.doubtful, "so the queue is looked at"
    assert desk.overdue() == []


def test_a_task_is_lost_that_nobody_claims_though_the_queue_is_empty(
    desk: Desk,
) -> None:
    desk.join()
    desk.books.send(task())
    desk.now_s = CLAIM_S + 1
    desk.books.unclaimed.queue_is_empty()
    assert not desk.books.unclaimed.doubtful, "it is known by now"
    desk.now_s += CLAIM_S + 1
    assert desk.overdue() == [Lost(task=task(), worker=NOBODY)]


def test_a_free_worker_that_takes_nothing_is_named_once_in_a_while(desk: Desk) -> None:
    desk.join("deaf")
    desk.join("full")
    desk.join("leaving", slots=0)
    first = desk.books.send(task("first"))
    desk.hear(Taken(worker="full", id=first))
    desk.books.send(task("waits"))
    assert desk.books.deaf(15) == []
    desk.now_s = 16
    assert desk.books.deaf(15) == ["deaf"]
    desk.now_s = 20
    assert desk.books.deaf(15) == []
    desk.now_s = 32
    assert desk.books.deaf(15) == ["deaf"]
