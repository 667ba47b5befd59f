"""Nothing of a run stays on a broker of the user's, where others have things, too."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from tests.brokers import private_broker, systems
from tests.fleet import new_run, rabbitmq_broker
from tests.rabbitmq import RabbitMQ, rabbitmq_url
from trap_hpc.engines.broker import Broker, write_broker
from trap_hpc.engines.celery import queues
from trap_hpc.engines.celery.app import make_app
from trap_hpc.engines.celery.ear import Ear
from trap_hpc.engines.celery.engine import CeleryEngine
from trap_hpc.engines.celery.line import Line, errors
from trap_hpc.pipeline.tasks import Task

__all__ = ["rabbitmq_url"]


@contextmanager
def shared_redis(folder: Path) -> Iterator[tuple[Broker, redis.Redis]]:
    """A server where others have keys, too."""
    with private_broker(folder, binary=systems(), tls="off") as private:
        broker = replace(private.broker, private=False)
        write_broker(folder / "broker.json", broker)
        with redis.Redis(
            port=broker.port, username=broker.user, password=broker.password
        ) as server:
            server.set("somebody-else's", "1")
            yield broker, server


def test_nothing_of_a_run_stays_on_a_redis_server_of_others(tmp_path: Path) -> None:
    with shared_redis(tmp_path) as (broker, server):
        engine = CeleryEngine(broker, address="127.0.0.1")
        engine.start()
        ear = Ear(make_app(broker, "127.0.0.1"), broker)
        ear.hear(0)
        engine.submit(Task(run="r", batch="b"))
        mine = set(server.scan_iter()) - {b"somebody-else's"}
        assert mine
        assert all(key.startswith(broker.run_id.encode()) for key in mine)
        engine.outcomes(0.05)  # it waits for an answer of the server from now on
        with closing(Line(make_app(broker, "127.0.0.1"))) as worker:
            worker.send(["last words"], None, queues.make_queues(broker).reports.name)
        engine.close()
        ear.close()
        assert list(server.scan_iter()) == [b"somebody-else's"]


def test_what_a_dead_run_left_on_such_a_server_expires(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "EXPIRES_S", 1.0)
    with shared_redis(tmp_path) as (broker, server):
        engine = CeleryEngine(broker, address="127.0.0.1")
        engine.start()
        engine.submit(Task(run="r", batch="b"))
        engine._line.hang_up()
        assert len(list(server.scan_iter())) > 1
        until_s = time.monotonic() + 10
        while list(server.scan_iter()) != [b"somebody-else's"]:
            assert time.monotonic() < until_s
            time.sleep(0.1)


def queues_there(broker: Broker) -> list[str]:
    """Which of the session's queues a RabbitMQ server has."""
    app = make_app(broker, broker.addresses[0])
    found = []
    wanted = queues.make_queues(broker)
    for queue in (wanted.tasks, wanted.reports):
        with app.connection_for_write() as connection:
            try:
                queue(connection.default_channel).queue_declare(passive=True)
                found.append(queue.name)
            except errors(app):
                continue
    return found


def test_nothing_of_a_run_stays_on_a_rabbitmq_of_others(
    tmp_path: Path, rabbitmq_url: RabbitMQ
) -> None:
    broker = rabbitmq_broker(rabbitmq_url, new_run(tmp_path / "run"), 10.0)
    engine = CeleryEngine(broker, address=broker.addresses[0])
    engine.start()
    engine.submit(Task(run="r", batch="b"))
    assert len(queues_there(broker)) == 2
    engine.close()
    assert queues_there(broker) == []


def test_a_session_removes_what_an_earlier_one_had_to_leave_on_rabbitmq(
    tmp_path: Path, rabbitmq_url: RabbitMQ
) -> None:
    """Its launcher was killed, and so was the broker until somebody went on."""
    first = rabbitmq_broker(rabbitmq_url, new_run(tmp_path / "run"), 10.0)
    earlier = CeleryEngine(first, address=first.addresses[0])
    earlier.start()
    earlier._line.hang_up()
    assert len(queues_there(first)) == 2
    third = replace(first, epoch=3)
    engine = CeleryEngine(third, address=third.addresses[0])
    engine.start()
    engine.close()
    assert queues_there(first) == queues_there(third) == []


def test_what_a_dead_run_left_on_rabbitmq_expires(
    tmp_path: Path, rabbitmq_url: RabbitMQ, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "EXPIRES_S", 1.0)
    broker = rabbitmq_broker(rabbitmq_url, new_run(tmp_path / "run"), 10.0)
    engine = CeleryEngine(broker, address=broker.addresses[0])
    engine.start()
    engine.submit(Task(run="r", batch="b"))
    engine._line.hang_up()
    time.sleep(2.5)  # a queue is used by asking for it
    assert queues_there(broker) == []
