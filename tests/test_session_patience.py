"""A session waits for a broker of the user's, but not for ever."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from tests.stand_ins import Time
from tests.test_session_mending import Workers, finished
from trap_hpc.engines.base import Finished, Lost
from trap_hpc.errors import BrokerError
from trap_hpc.pipeline.tasks import Task
from trap_hpc.run.session.events import Event, Say
from trap_hpc.run.session.mending import BROKERS
from trap_hpc.run.session.patience import AWAY_S, PatientEngine


@dataclass
class Bench:
    """A patient engine, and the one beneath it."""

    time: Time = field(default_factory=Time)
    beneath: Workers = field(default_factory=Workers)
    told: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        url = "amqp://me@host:5672/"
        self.engine = PatientEngine(
            self.beneath, url, post=self.told.append, clock=self.time
        )

    def send(self, name: str) -> Task:
        task = Task(run="/run", batch=name)
        self.engine.submit(task)
        return task

    def go(self) -> None:
        self.beneath.gone = True
        assert self.engine.outcomes(0) == []

    def come_back(self) -> None:
        self.beneath.gone = False
        self.engine.outcomes(0)


def test_what_is_under_way_stays_so_while_the_broker_is_away() -> None:
    bench = Bench()
    task = bench.send("one")
    bench.go()
    bench.time.sleep(10)
    bench.beneath.gone, bench.beneath.news = False, [finished(task)]
    assert bench.engine.outcomes(0) == [finished(task)]
    assert bench.beneath.sent == [task]
    assert bench.told == [
        Say(
            "the broker amqp://me@host:5672/ does not answer; the run waits up to "
            "120 s for it to come back"
        ),
        Say("the broker answers again, after 10 s"),
    ]


def test_what_finds_the_broker_away_is_sent_once_it_is_back() -> None:
    bench = Bench()
    bench.beneath.gone = True
    task = bench.send("one")
    assert bench.engine.capacity == 0
    assert bench.engine.outcomes(0) == []
    bench.come_back()
    assert bench.beneath.sent == [task]
    assert bench.engine.capacity == bench.beneath.capacity


def test_a_broker_that_stays_away_ends_the_run() -> None:
    bench = Bench()
    bench.go()
    bench.time.sleep(AWAY_S - 1)
    assert bench.engine.outcomes(0) == []
    bench.time.sleep(1)
    with pytest.raises(BrokerError, match="does not answer"):
        bench.engine.outcomes(0)


def test_absences_without_any_work_in_between_end_the_run() -> None:
    bench = Bench()
    for _ in range(BROKERS - 1):
        bench.go()
        bench.come_back()
    bench.beneath.gone = True
    with pytest.raises(BrokerError):
        bench.engine.outcomes(0)


@pytest.mark.parametrize("done", [True, False])
def test_only_work_that_is_done_makes_absences_forgotten(done: bool) -> None:
    bench = Bench()
    for number in range(BROKERS - 1):
        task = bench.send(str(number))
        lost = Lost(task=task, worker="w")
        news: list[Finished | Lost] = [finished(task) if done else lost]
        bench.beneath.news = [*news]
        bench.engine.outcomes(0)
        bench.go()
        bench.come_back()
    bench.beneath.gone = True
    if done:
        assert bench.engine.outcomes(0) == []
        return
    with pytest.raises(BrokerError):
        bench.engine.outcomes(0)
