"""Faults between launcher and workers: nothing is lost, nothing is done twice."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from celery import Celery
from kombu import Connection

from tests.fleet import Fleet, each_fleet, one_fleet
from tests.proxy import Proxy, proxy_to
from tests.rabbitmq import rabbitmq_url
from trap_hpc.engines.base import Finished, Lost
from trap_hpc.engines.broker import write_broker
from trap_hpc.engines.celery.announcer import Announcer
from trap_hpc.engines.celery.app import make_app
from trap_hpc.engines.celery.line import Line
from trap_hpc.engines.celery.messages import Restart
from trap_hpc.engines.celery.queues import make_queues
from trap_hpc.pipeline.tasks import Task

__all__ = ["each_fleet", "one_fleet", "rabbitmq_url"]


@pytest.fixture
def road(each_fleet: Fleet) -> Iterator[Proxy]:
    """Between the workers and the broker."""
    broker = each_fleet.broker
    with proxy_to(broker.addresses[0], broker.port) as proxy:
        write_broker(each_fleet.paths.broker, replace(broker, port=proxy.port))
        yield proxy


def send_again_what_is_lost(fleet: Fleet, count: int, within_s: float = 60.0) -> None:
    """Have ``count`` tasks done, as the driver would."""
    waiting = deque(
        Task(run=str(fleet.paths.directory), batch=f"sleep-0.05-{n}")
        for n in range(count)
    )
    under_way, done = 0, 0
    until_s = time.monotonic() + within_s
    while done < count:
        assert time.monotonic() < until_s, fleet.logs()
        while waiting and under_way < fleet.engine.capacity:
            fleet.engine.submit(waiting.popleft())
            under_way += 1
        for outcome in fleet.engine.outcomes(0.2):
            under_way -= 1
            if isinstance(outcome, Finished):
                done += 1
            else:
                assert isinstance(outcome, Lost), outcome
                attempt = outcome.task.attempt + 1
                waiting.append(replace(outcome.task, attempt=attempt))
    assert under_way == 0
    lines = (fleet.paths.directory / "executed").read_text().splitlines()
    sendings = [line.rpartition(" ")[0] for line in lines]
    assert len(sendings) == len(set(sendings)), "one sending was done twice"


def test_a_task_is_lost_that_was_taken_and_never_claimed(each_fleet: Fleet) -> None:
    """A worker that died between the two."""
    fleet = each_fleet
    (task,) = fleet.send("sleep-0-1")
    line = Line(make_app(fleet.broker, fleet.broker.addresses[0]))
    taken: list[object] = []
    line.listen(make_queues(fleet.broker).tasks, taken.append)
    while not taken:
        line.read(0.1)
    line.close()
    took_s = fleet.wait_for(lambda: fleet.heard, within_s=15)
    assert took_s < 10
    (lost,) = fleet.heard
    assert isinstance(lost, Lost)
    assert lost.task == task


def test_no_sending_is_done_twice_while_workers_are_killed(each_fleet: Fleet) -> None:
    fleet = each_fleet
    choose = random.Random(1)
    for number in range(2):
        fleet.start_worker(f"job-{number}", slots=2)
    fleet.wait_for_workers(2)
    killer = _Churn(fleet, choose, kills=4)
    killer.start()
    try:
        send_again_what_is_lost(fleet, 150)
    finally:
        killer.join()


class _Churn:
    """Kills a worker now and then, tells its job's end, and starts another."""

    def __init__(self, fleet: Fleet, choose: random.Random, kills: int) -> None:
        self._fleet = fleet
        self._choose = choose
        self._kills = kills
        self._thread = threading.Thread(target=self._run)

    def start(self) -> None:
        self._thread.start()

    def join(self) -> None:
        self._thread.join()

    def _run(self) -> None:
        fleet = self._fleet
        for number in range(self._kills):
            time.sleep(self._choose.uniform(0.5, 1.0))
            members = list(fleet.engine.members())
            if not members:
                continue
            member = self._choose.choice(members)
            pid = int(member.name.split("@")[0].rpartition(".")[2])
            os.kill(pid, self._choose.choice([signal.SIGKILL, signal.SIGTERM]))
            fleet.engine.forget([member.job])
            fleet.start_worker(f"job-{number + 2}", slots=2)


def test_no_sending_is_done_twice_while_connections_are_cut(
    each_fleet: Fleet, road: Proxy
) -> None:
    fleet = each_fleet
    fleet.start_worker("7_1", slots=2)
    fleet.wait_for_workers(1)

    def cut() -> None:
        for _ in range(3):
            time.sleep(1.0)
            road.cut()

    cutter = threading.Thread(target=cut)
    cutter.start()
    try:
        send_again_what_is_lost(fleet, 120)
    finally:
        cutter.join()
    assert "Traceback" not in fleet.logs()


def test_a_worker_whose_broker_is_gone_writes_nothing_on_its_node(
    each_fleet: Fleet, road: Proxy, tmp_path: Path
) -> None:
    folder = tmp_path / "of the node"
    folder.mkdir()
    each_fleet.start_worker("7_1", slots=2, TMPDIR=str(folder))
    each_fleet.wait_for_workers(1)
    each_fleet.send("sleep-60-1", "sleep-60-2", "sleep-60-3")
    (worker,) = each_fleet.engine._books._workers.values()
    each_fleet.wait_for(lambda: len(worker.held) == 3)
    road.admitting = False
    road.cut()
    each_fleet.wait_for(lambda: "Connection to broker lost" in each_fleet.logs())
    assert not list(folder.iterdir())
    road.admitting = True
    each_fleet.wait_for(lambda: each_fleet.heard)
    (lost,) = each_fleet.heard
    assert isinstance(lost, Lost), "the one that waited"


def test_a_worker_that_hears_no_launcher_starts_anew(one_fleet: Fleet) -> None:
    """By the lease file the launcher lives: so it is the worker that is deaf."""
    fleet = one_fleet
    worker = fleet.start_worker("7_1")
    fleet.wait_for_workers(1)
    fleet.by_broker = False
    fleet.wait_for(lambda: "starts anew" in fleet.logs())
    fleet.by_broker = True
    fleet.wait_for(lambda: fleet.logs().count("takes tasks") == 2)
    fleet.send("sleep-0-1")
    fleet.wait_for(lambda: any(isinstance(o, Finished) for o in fleet.heard))
    assert worker.poll() is None, "it is the same process"


def test_a_worker_that_is_told_so_starts_anew_and_blames_no_task(
    one_fleet: Fleet,
) -> None:
    fleet = one_fleet
    worker = fleet.start_worker("7_1")
    fleet.wait_for_workers(1)
    tasks = fleet.send("sleep-60-1", "sleep-60-2")
    fleet.wait_for(lambda: fleet.executed())
    (member,) = fleet.engine.members()
    app = make_app(fleet.broker, fleet.broker.addresses[0])
    with closing(Announcer(app, fleet.broker)) as announcer:
        announcer.say(Restart(worker=member.name))
    lost = fleet.hear(2)
    assert {outcome.task for outcome in lost} == set(tasks)
    assert all(isinstance(outcome, Lost) for outcome in lost)
    fleet.wait_for(lambda: fleet.logs().count("takes tasks") == 2)
    fleet.send("sleep-0-1")
    (finished,) = fleet.hear(1)
    assert isinstance(finished, Finished)
    assert worker.poll() is None


def test_other_messages_are_refused_and_the_worker_goes_on(each_fleet: Fleet) -> None:
    fleet = each_fleet
    fleet.start_worker()
    fleet.wait_for_workers(1)
    app = make_app(fleet.broker, fleet.broker.addresses[0])
    known: tuple[dict[str, object], ...] = (
        {},
        {"batch": "sleep-0-x"},
        {"batch": "sleep-0-x", "attempt": "x"},
    )
    with app.connection_for_write() as connection:
        for arguments in known:
            send(app, connection, "trap_hpc.work", arguments)
        send(app, connection, "os.system", {"command": "id"})
        send(app, connection, "trap_hpc.work", GOOD, serializer="pickle")
    fleet.send("sleep-0-good")
    (outcome,) = fleet.hear(1)
    assert isinstance(outcome, Finished)
    assert fleet.executed() == ["sleep-0-good"]
    assert "Refusing to deserialize" in fleet.logs()
    assert "Traceback" not in fleet.logs()


GOOD = {"batch": "sleep-0-pickled", "attempt": 1}


def send(
    app: Celery,
    connection: Connection,
    name: str,
    arguments: Mapping[str, object],
    serializer: str = "json",
) -> None:
    app.send_task(
        name,
        kwargs=dict(arguments),
        queue=app.conf.task_default_queue,
        connection=connection,
        serializer=serializer,
    )
