"""Servers that belong to somebody else: brokers by URL, a database."""

from __future__ import annotations

from collections.abc import Callable

from tests.faults.fault import fault
from tests.faults.scene import Scene
from tests.faults.services import PostgreSQL, RabbitMQ, Redis, Service, password_file

AWAY_S = (0.5, 4.0)


def rabbitmq(scene: Scene) -> None:
    """Let the run use a RabbitMQ that is there already."""
    use_broker(scene, RabbitMQ(scene.slurm))


def redis(scene: Scene) -> None:
    """Let the run use a Redis that is there already."""
    use_broker(scene, Redis(scene.slurm))


def use_broker(scene: Scene, broker: RabbitMQ | Redis) -> None:
    scene.stack.callback(broker.end)
    broker.service.start(wait=True)
    secret = password_file(scene.slurm, broker.password)
    scene.words += ["--broker", broker.url, "--broker-password-file", secret]
    scene.checks.append(broker.left)
    scene.services["broker"] = broker.service


def postgresql(scene: Scene) -> None:
    """Let the run's catalogue be copied to a PostgreSQL."""
    server = PostgreSQL(scene.slurm)
    scene.stack.callback(server.end)
    server.service.start(wait=True)
    scene.words += ["--db", server.url]
    scene.catalogues.append(server.url)
    scene.services["database"] = server.service


@fault(
    "RabbitMQ killed",
    "SIGKILL of a RabbitMQ given by URL, which comes back after 0.5-4 s",
    needs=(rabbitmq,),
    gap_s=(4.0, 10.0),
)
def kill_rabbitmq(scene: Scene) -> str:
    return killed(scene, "broker", scene.chance.uniform(*AWAY_S))


@fault(
    "Redis killed",
    "SIGKILL of a Redis given by URL, which comes back after 0.5-4 s",
    needs=(redis,),
    gap_s=(2.0, 6.0),
)
def kill_redis(scene: Scene) -> str:
    return killed(scene, "broker", scene.chance.uniform(*AWAY_S))


@fault(
    "database gone",
    "SIGKILL of the PostgreSQL of `--db`, which comes back after 1-8 s",
    needs=(postgresql,),
    gap_s=(1.0, 3.0),
)
def kill_database(scene: Scene) -> str:
    return killed(scene, "database", scene.chance.uniform(1, 8))


def killed(scene: Scene, name: str, away_s: float) -> str:
    service = scene.services[name]
    if not scene.mark(name):
        return ""
    pid = service.kill()
    scene.later(away_s, come_back(scene, name, service))
    return f"SIGKILL to {pid}, back in {away_s:.1f} s"


def come_back(scene: Scene, name: str, service: Service) -> Callable[[], None]:
    def start() -> None:
        service.start()
        scene.unmark(name)

    return start
