"""What another user of the login host can get of a run: nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.launches import SLOW, Launch, settings
from tests.cluster.processes import Said, wait_until
from tests.cluster.slurm import Slurm
from trap_hpc.engines.broker import Broker, read_broker


@pytest.fixture(scope="module")
def launch(slurm_of_all: Slurm, long_night: Path) -> Iterator[Launch]:
    """A run that is under way."""
    made = Launch(slurm_of_all, long_night, *settings(SLOW))
    made.until_working()
    yield made
    slurm_of_all.trap_hpc("stop", made.directory)
    assert made.wait().code == 130


@pytest.fixture
def broker(launch: Launch) -> Broker:
    return read_broker(launch.paths.broker)


PING = """
import redis, sys
from redis.backoff import NoBackoff
from redis.retry import Retry
client = redis.Redis(
    host=sys.argv[1], port=int(sys.argv[2]), ssl=sys.argv[3] == "rediss",
    ssl_cert_reqs="none", ssl_check_hostname=False, username=sys.argv[4] or None,
    password=sys.argv[5] or None, retry=Retry(NoBackoff(), 0),
)
print(client.ping())
"""


def ping(slurm: Slurm, broker: Broker, scheme: str, user: str, password: str) -> Said:
    """Try to use the broker as another user of the login host."""
    where = (broker.addresses[0], str(broker.port))
    argv = [sys.executable, "-c", PING, *where, scheme, user, password]
    return slurm.run_as_user(argv, user=slurm.other)


def test_another_user_can_t_use_the_broker(slurm_of_all: Slurm, broker: Broker) -> None:
    said = ping(slurm_of_all, broker, "redis", "", "")
    assert "redis.exceptions.ConnectionError" in said.err, str(said)
    said = ping(slurm_of_all, broker, "rediss", broker.user, "guess")
    assert "redis.exceptions.ConnectionError" in said.err, str(said)


def test_the_password_alone_is_not_enough(slurm_of_all: Slurm, broker: Broker) -> None:
    """Only who shows a certificate of the run's own authority gets a connection."""
    said = ping(slurm_of_all, broker, "rediss", broker.user, broker.password)
    assert "redis.exceptions.ConnectionError" in said.err, str(said)


def test_without_encryption_the_password_is_needed(
    slurm_of_all: Slurm, long_night: Path
) -> None:
    site = slurm_of_all.site("plain.toml", tls="off")
    words = settings(SLOW)
    launch = Launch(slurm_of_all, long_night, *words, site=site, workers=2)
    launch.until_submitted(1)
    broker = read_broker(launch.paths.broker)
    assert broker.scheme == "redis"
    said = ping(slurm_of_all, broker, "redis", "", "")
    assert "redis.exceptions.AuthenticationError" in said.err, str(said)
    said = ping(slurm_of_all, broker, "redis", broker.user, "guess")
    assert "redis.exceptions.AuthenticationError" in said.err, str(said)
    slurm_of_all.trap_hpc("stop", launch.directory)
    launch.wait()


@pytest.mark.parametrize("name", ["broker.json", "code.zip", "run.log", "job.sh"])
def test_another_user_can_t_read_the_run_directory(
    slurm_of_all: Slurm, launch: Launch, name: str
) -> None:
    path = launch.directory / name
    assert slurm_of_all.run_as_user(["cat", path]).code == 0
    said = slurm_of_all.run_as_user(["cat", path], user=slurm_of_all.other)
    assert "Permission denied" in said.err


def test_credentials_and_the_run_directory_are_the_owner_s_alone(
    launch: Launch,
) -> None:
    assert launch.paths.broker.stat().st_mode & 0o777 == 0o600
    assert launch.directory.stat().st_mode & 0o777 == 0o700


def secrets_of(broker: Broker) -> list[str]:
    """The password, and a line of the key that no other text has."""
    assert broker.certificates is not None
    return [broker.password, broker.certificates.key.splitlines()[3]]


def test_no_process_shows_a_secret(
    slurm_of_all: Slurm, launch: Launch, broker: Broker
) -> None:
    show = "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ; ps axeww"
    for host in slurm_of_all.hosts.values():
        shown = host.start(["sh", "-c", show]).wait().out
        assert "keeper" in shown
        for secret in secrets_of(broker):
            assert secret not in shown, host.name


def test_the_scheduler_knows_no_secret(
    slurm_of_all: Slurm, launch: Launch, broker: Broker
) -> None:
    assert launch.session is not None
    login = slurm_of_all.hosts["login"]
    jobs = login.run(["scontrol", "show", "job", "--details"]).out
    array = launch.session.arrays[0]
    script = login.run(["scontrol", "write", "batch_script", array, "-"]).out
    assert launch.run_id in jobs
    assert "trap_hpc.worker" in script
    for secret in secrets_of(broker):
        assert secret not in jobs + script


def test_no_file_but_the_credentials_holds_a_secret(
    slurm_of_all: Slurm, launch: Launch, broker: Broker
) -> None:
    for secret in secrets_of(broker):
        places = [slurm_of_all.folder, slurm_of_all.hosts["login"].path("/tmp")]
        found = [
            path
            for place in places
            for path in place.rglob("*")
            if path.is_file() and secret.encode() in path.read_bytes()
        ]
        assert {path.name for path in found} <= ALLOWED, found
        assert all(path.stat().st_mode & 0o077 == 0 for path in found)


ALLOWED = {"broker.json", "redis.conf", "users.acl", "client.key", "client-key.pem"}

PICKLE = """
import os, pickle, sys
from pathlib import Path
from kombu import Exchange, Producer
from trap_hpc.engines.broker import read_broker
from trap_hpc.engines.celery.app import make_app, make_queues

class Evil:
    def __reduce__(self):
        return os.system, (f"touch {sys.argv[2]}",)

broker = read_broker(Path(sys.argv[1]))
app = make_app(broker, broker.addresses[0])
queues = make_queues(broker)
with app.connection_for_write() as connection:
    for name in (queues.tasks.name, queues.reports.name):
        Producer(connection).publish(
            pickle.dumps(Evil()), exchange="", routing_key=name, delivery_mode=1,
            content_type="application/x-python-serialize", content_encoding="binary",
            headers={"task": "trap_hpc.work", "id": "evil", "lang": "py"},
        )
print("sent")
"""


def logs_of(launch: Launch) -> str:
    return "".join(path.read_text() for path in launch.paths.logs.iterdir())


def test_a_pickle_is_refused(slurm_of_all: Slurm, launch: Launch) -> None:
    """Even from somebody who has all credentials."""
    trace = slurm_of_all.work / "pickle-was-opened"
    argv: list[str | Path] = [sys.executable, "-c", PICKLE, launch.paths.broker, trace]
    said = slurm_of_all.run_as_user(argv)
    assert said.out == "sent\n", str(said)
    wait_until(lambda: "untrusted content" in logs_of(launch), "it is refused", 60)
    before = launch.written
    wait_until(lambda: launch.written > before, "work goes on", 60)
    assert not trace.exists()
    assert not launch.command.over
