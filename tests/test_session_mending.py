"""A session outlives its broker."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import pytest

from trap_hpc.engines.base import Finished, Lost, Member, Outcome
from trap_hpc.engines.deadline import TimeLeft
from trap_hpc.engines.lease import Beat
from trap_hpc.errors import BrokerError
from trap_hpc.pipeline.tasks import Receipt, Task
from trap_hpc.run.session.events import Event, Say
from trap_hpc.run.session.mending import BROKERS, MendedEngine


@dataclass
class Workers:
    """An engine as it is heard from here."""

    gone: bool = False
    sent: list[Task] = field(default_factory=list)
    news: list[Outcome] = field(default_factory=list)
    closed: bool = False
    name: str = "celery"
    workers: int = 1
    places: int = 1
    capacity: int = 2

    def start(self) -> None: ...

    def submit(self, task: Task) -> None:
        if self.gone:
            raise BrokerError("the broker does not answer")
        self.sent.append(task)

    def outcomes(self, timeout_s: float) -> Sequence[Outcome]:
        if self.gone:
            raise BrokerError("the broker does not answer")
        news, self.news = self.news, []
        return news

    def renew(self, beat: Beat) -> None: ...

    def members(self) -> Sequence[Member]:
        return []

    def forget(self, jobs: Collection[str]) -> None: ...

    def tell_ends(self, jobs: Sequence[TimeLeft]) -> None: ...

    def dismiss(self) -> None: ...

    def close(self) -> None:
        self.closed = True


@dataclass
class Bench:
    """A mended engine and all engines that it was."""

    engines: list[Workers] = field(default_factory=list)
    told: list[Event] = field(default_factory=list)
    why: str = "the broker has ended"
    die_early: int = 0
    """So many brokers die before anybody has reached them."""

    def __post_init__(self) -> None:
        self.mended = MendedEngine(self.connect, lambda: self.why, self.told.append)

    def connect(self) -> Workers:
        if self.die_early:
            self.die_early -= 1
            raise BrokerError("the new broker does not answer")
        self.engines.append(Workers())
        return self.engines[-1]

    def break_and_mend(self) -> None:
        self.engines[-1].gone = True
        self.mended.outcomes(0)

    def send(self, name: str) -> Task:
        task = Task(run="/run", batch=name)
        self.mended.submit(task)
        return task


def finished(task: Task) -> Finished:
    receipt = Receipt(file="f.h5", checksum="0", items=1, seconds=1.0)
    return Finished(task=task, receipt=receipt)


def test_what_was_sent_is_lost_with_a_broker_and_the_next_one_is_used() -> None:
    bench = Bench()
    done, lost = bench.send("one"), bench.send("two")
    bench.engines[0].news = [finished(done)]
    assert bench.mended.outcomes(0) == [finished(done)]
    bench.engines[0].gone = True
    assert bench.mended.outcomes(0) == [Lost(task=lost, worker="the broker")]
    assert bench.engines[0].closed
    again = bench.send("three")
    assert bench.engines[1].sent == [again]
    assert bench.told == [
        Say(
            "the broker has ended; another broker takes its place, 1 task will be "
            "sent again"
        )
    ]


def test_a_task_that_finds_the_broker_gone_is_lost_too() -> None:
    bench = Bench()
    bench.engines[0].gone = True
    tasks = [bench.send("one"), bench.send("two")]
    assert [outcome.task for outcome in bench.mended.outcomes(0)] == tasks
    assert len(bench.engines) == 2


def test_a_broker_that_dies_before_it_is_reached_is_replaced_as_well() -> None:
    bench = Bench()
    task = bench.send("one")
    bench.engines[0].gone, bench.die_early = True, 2
    assert [bench.mended.outcomes(0) for _ in range(2)] == [[], []]
    assert bench.mended.outcomes(0) == [Lost(task=task, worker="the broker")]
    assert len(bench.told) == 3


def test_a_broker_that_can_not_be_opened_ends_the_run() -> None:
    bench = Bench()
    bench.break_and_mend()
    bench.engines[-1].gone, bench.die_early = True, 1
    connect = bench.connect

    def none_can_be_opened() -> Workers:
        bench.why = ""
        return connect()

    bench.mended._connect = none_can_be_opened
    with pytest.raises(BrokerError, match="the new broker"):
        bench.mended.outcomes(0)


def test_a_broker_that_is_not_ours_is_not_replaced() -> None:
    bench = Bench()
    bench.engines[0].gone, bench.why = True, ""
    with pytest.raises(BrokerError, match="does not answer"):
        bench.mended.outcomes(0)
    with pytest.raises(BrokerError, match="does not answer"):
        bench.send("one")


def test_brokers_that_die_one_after_another_end_the_run() -> None:
    bench = Bench()
    for _ in range(BROKERS - 1):
        bench.break_and_mend()
    bench.engines[-1].gone = True
    with pytest.raises(BrokerError):
        bench.mended.outcomes(0)
    assert len(bench.engines) == BROKERS


def test_brokers_that_die_after_some_work_are_not_counted() -> None:
    bench = Bench()
    for number in range(2 * BROKERS):
        task = bench.send(str(number))
        bench.engines[-1].news = [finished(task)]
        bench.mended.outcomes(0)
        bench.break_and_mend()
    assert len(bench.engines) == 1 + 2 * BROKERS
