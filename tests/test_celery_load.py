"""Many workers, and a broker or a launcher that is busy: nobody is given up for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.brokers import private_broker, wait_until, wheels
from tests.fleet import new_run
from trap_hpc.engines.broker import Broker
from trap_hpc.engines.celery import line as line_module
from trap_hpc.engines.celery.app import make_app
from trap_hpc.engines.celery.engine import ENOUGH, CeleryEngine
from trap_hpc.engines.celery.line import Line
from trap_hpc.engines.celery.messages import Done, Here, Report, to_record
from trap_hpc.engines.celery.queues import make_queues
from trap_hpc.pipeline.tasks import Receipt, Task

MANY = 40


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a line think after two messages that there are no more."""
    read = Line.read

    def hasty_read(line: Line, timeout_s: float) -> bool:
        read(line, timeout_s)
        return True

    monkeypatch.setattr(line_module, "AT_A_TIME", 1)
    monkeypatch.setattr(Line, "read", hasty_read)


@dataclass
class Office:
    """An engine whose clock is moved by hand, and somebody who reports to it."""

    broker: Broker
    now_s: float = 0.0
    engine: CeleryEngine = field(init=False)
    line: Line = field(init=False)

    def __post_init__(self) -> None:
        address = self.broker.addresses[0]
        self.engine = CeleryEngine(
            self.broker, address=address, clock=lambda: self.now_s
        )
        self.engine.start()
        self.line = Line(make_app(self.broker, address))

    def report(self, *reports: Report) -> None:
        for report in reports:
            name = make_queues(self.broker).reports.name
            self.line.send([to_record(report)], None, name)

    def members(self) -> set[str]:
        return {member.name for member in self.engine.members()}


@contextmanager
def new_office(folder: Path) -> Iterator[Office]:
    paths = new_run(folder)
    with private_broker(paths.directory, binary=wheels(), tls="off") as private:
        office = Office(private.broker)
        yield office
        office.line.close()
        office.engine.close()


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with new_office(tmp_path / "run") as made:
        yield made


def here(name: str, slots: int = 1) -> Here:
    return Here(worker=name, job=name, node="n", slots=slots, address="a")


def test_nobody_is_given_up_while_a_slow_broker_has_reports(
    office: Office, hasty: None
) -> None:
    office.report(here("quiet"), here("talkative"))
    wait_until(lambda: not office.engine.outcomes(0) and len(office.members()) == 2)
    office.now_s = office.broker.lease_s + 1
    office.report(*[here("talkative")] * MANY, here("quiet"))
    assert office.engine.outcomes(0) == []
    assert office.members() == {"quiet", "talkative"}


def test_who_really_is_silent_is_given_up_although_others_report_all_the_time(
    office: Office, hasty: None
) -> None:
    office.report(here("silent"), here("talkative"))
    wait_until(lambda: not office.engine.outcomes(0) and len(office.members()) == 2)
    office.now_s = office.broker.lease_s + 1
    office.report(*[here("talkative")] * MANY)
    office.engine.outcomes(0)
    assert office.members() == {"talkative"}


def test_signs_of_life_do_not_pile_up_before_the_news(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many workers there are, and however little time a driver has."""
    monkeypatch.setattr(line_module, "AT_A_TIME", 3)
    office.report(here("worker", slots=ENOUGH))
    wait_until(lambda: not office.engine.outcomes(0) and bool(office.members()))
    office.engine.submit(Task(run="r", batch="b"))
    (sending,) = office.engine._books._open
    receipt = Receipt(file="f", checksum="c", items=1, seconds=1.0)
    office.report(*[here("worker", slots=ENOUGH)] * MANY)
    office.report(Done(worker="worker", id=sending, receipt=receipt))
    assert len(office.engine.outcomes(0)) == 1
