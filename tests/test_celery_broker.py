"""What we ask of a broker: few connections, no secrets lying about, nothing left."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import redis

from tests.brokers import private_broker, wheels
from tests.fleet import Fleet, each_fleet, new_run, one_fleet
from tests.rabbitmq import rabbitmq_url
from trap_hpc.engines.base import Finished, Outcome
from trap_hpc.engines.celery import line as line_module
from trap_hpc.engines.celery import queues
from trap_hpc.engines.celery.app import make_app
from trap_hpc.engines.celery.ear import Ear
from trap_hpc.engines.celery.engine import CeleryEngine
from trap_hpc.engines.celery.line import Line
from trap_hpc.engines.celery.messages import Here, Lease, to_record
from trap_hpc.engines.lease import Beat
from trap_hpc.errors import BrokerError
from trap_hpc.pipeline.tasks import Task

__all__ = ["each_fleet", "one_fleet", "rabbitmq_url"]

CONNECTIONS = 3
MANY = 500


def connections_of(pid: int, port: int) -> int:
    open_ones = psutil.Process(pid).net_connections()
    return sum(bool(each.raddr) and each.raddr.port == port for each in open_ones)


def test_a_worker_job_needs_three_connections(each_fleet: Fleet) -> None:
    fleet = each_fleet
    worker = fleet.start_worker(slots=4)
    fleet.wait_for_workers(1)
    fleet.send("sleep-0-1", "sleep-0-2")
    fleet.hear(2)
    assert connections_of(worker.pid, fleet.broker.port) <= CONNECTIONS


def test_an_idle_worker_costs_next_to_nothing(each_fleet: Fleet) -> None:
    fleet = each_fleet
    worker = psutil.Process(fleet.start_worker(slots=2).pid)
    fleet.wait_for_workers(1)
    until_s = time.monotonic() + 1
    fleet.wait_for(lambda: time.monotonic() > until_s)
    before = worker.cpu_times()
    until_s = time.monotonic() + 4
    fleet.wait_for(lambda: time.monotonic() > until_s)
    after = worker.cpu_times()
    assert after.user + after.system - before.user - before.system < 0.2


@pytest.mark.slow
def test_a_private_broker_holds_five_hundred_workers(one_fleet: Fleet) -> None:
    """As many lines as they would have, each used for what it is for."""
    fleet = one_fleet
    app = make_app(fleet.broker, "127.0.0.1")
    reports = queues.make_queues(fleet.broker).reports
    with ExitStack() as stack:
        ears = []
        for number in range(MANY):
            here = Here(
                worker=f"w{number}", job=f"1_{number}", node="n", slots=2, address="a"
            )
            line = Line(app)
            stack.callback(line.close)
            line.send([to_record(here)], None, reports.name)
            ears.append(Ear(app, fleet.broker))
            stack.callback(ears[-1].close)
            ears[-1].hear(0)
        fleet.wait_for_workers(MANY)
        assert fleet.engine.capacity == 4 * MANY
        beat = Beat(1, 7**7)
        fleet.engine.renew(beat)
        for ear in ears:
            while Lease(beat=beat) not in ear.hear(1):
                assert fleet.count < 60


def test_a_broker_that_is_gone_is_told_in_words(tmp_path: Path) -> None:
    paths = new_run(tmp_path / "run")
    with private_broker(paths.directory, binary=wheels(), tls="off") as private:
        engine = CeleryEngine(private.broker, address="127.0.0.1", sleep=lambda _: None)
        engine.start()
    where = f"redis://trap-abcdefgh:**@127.0.0.1:{private.broker.port}/0"
    for act in (
        lambda: engine.outcomes(1),
        lambda: engine.submit(Task(run="r", batch="b")),
        lambda: engine.renew(Beat(1, 1)),
        engine.dismiss,
        engine.start,
    ):
        with pytest.raises(BrokerError) as told:
            act()
        assert where in str(told.value)
        assert private.broker.password not in str(told.value)
        assert "trap-hpc resume" in str(told.value)
    engine.close()


def test_what_was_submitted_to_a_broker_that_vanished_is_lost(tmp_path: Path) -> None:
    """Not forgotten: the driver sends it again."""
    paths = new_run(tmp_path / "run")
    with private_broker(paths.directory, binary=wheels(), tls="off") as private:
        engine = CeleryEngine(private.broker, address="127.0.0.1")
        engine.start()
        server = redis.Redis(
            port=private.broker.port,
            username=private.broker.user,
            password=private.broker.password,
        )
        with server:
            task = Task(run="r", batch="b")
            engine.submit(task)
            (key,) = (key for key in server.scan_iter() if b".reports" not in key)
            server.delete(key)
        until_s = time.monotonic() + 15
        lost: list[Outcome] = []
        while not lost:
            assert time.monotonic() < until_s
            lost += engine.outcomes(0.5)
        assert [outcome.task for outcome in lost] == [task]
        engine.close()


def test_a_launcher_that_was_busy_reads_all_before_it_gives_anybody_up(
    one_fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_module, "AT_A_TIME", 3)
    fleet = one_fleet
    fleet.start_worker()
    fleet.wait_for_workers(1)
    fleet.send("sleep-0-1", "sleep-60-2")
    time.sleep(fleet.broker.lease_s + 1)
    fleet.wait_for(lambda: not fleet.engine._unread and fleet.heard)
    (outcome,) = fleet.heard
    assert isinstance(outcome, Finished)
    (member,) = fleet.engine.members()
    assert member.silent_s < fleet.broker.lease_s


# brokers that are not ours ---------------------------------------------------------


def test_a_wrong_password_is_told_as_such(tmp_path: Path) -> None:
    paths = new_run(tmp_path / "run")
    with private_broker(paths.directory, binary=wheels(), tls="off") as private:
        wrong = replace(private.broker, password="guess")
        engine = CeleryEngine(wrong, address="127.0.0.1", sleep=lambda _: None)
        with pytest.raises(BrokerError, match="invalid username-password"):
            engine.start()
        engine.close()
