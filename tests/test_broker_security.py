"""Who gets into the private broker, and who does not."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import redis

from tests.brokers import (
    as_somebody_else,
    client,
    private_broker,
    server_of,
    systems,
)
from tests.brokers import binary as binary
from trap_hpc.engines.redis_server.authority import new_certificates
from trap_hpc.engines.redis_server.server import PrivateBroker


@pytest.fixture
def private(tmp_path: Path, binary: str) -> Iterator[PrivateBroker]:
    with private_broker(tmp_path, binary=binary) as made:
        yield made


@pytest.fixture
def encrypted(tmp_path: Path) -> Iterator[PrivateBroker]:
    with private_broker(tmp_path, binary=systems()) as made:
        yield made


def secrets_of(private: PrivateBroker) -> list[str]:
    """Everything that lets somebody in."""
    broker = private.broker
    found = [broker.password, (private.folder / "users.acl").read_text().split("#")[1]]
    if broker.certificates is not None:
        found.append(broker.certificates.key.splitlines()[1])
    return found


def test_another_user_reads_neither_credentials_nor_folder(
    private: PrivateBroker,
) -> None:
    credentials = private.credentials
    for folder in credentials.parents:  # the file alone has to protect itself
        folder.chmod(folder.stat().st_mode | 0o711)
        if folder.name.startswith("pytest-of"):
            break
    for path in (credentials, private.folder, private.folder / "redis.conf"):
        answer = as_somebody_else("cat", str(path))
        assert answer.returncode != 0
        assert "Permission denied" in answer.stderr
    assert as_somebody_else("ls", str(private.folder)).returncode != 0
    for process in (psutil.Process(private.guard.pid), server_of(private)):
        environment = f"/proc/{process.pid}/environ"
        assert "Permission denied" in as_somebody_else("cat", environment).stderr


def test_no_secret_is_in_a_command_line_or_an_environment(
    private: PrivateBroker,
) -> None:
    seen = as_somebody_else("ps", "-eo", "args", "ww").stdout
    assert "redis" in seen
    for process in (psutil.Process(private.guard.pid), server_of(private)):
        seen += " ".join([*process.cmdline(), *process.environ().values()])
    for each in psutil.process_iter(["cmdline"]):
        seen += " ".join(each.info["cmdline"] or ())
    assert not [secret for secret in secrets_of(private) if secret in seen]


def test_no_secret_is_shown_or_logged(private: PrivateBroker) -> None:
    seen = repr(private) + str(private) + (private.folder / "log").read_text()
    assert not [secret for secret in secrets_of(private) if secret in seen]


@pytest.mark.parametrize(
    "login",
    [
        {"username": None, "password": None},
        {"username": "default", "password": ""},
        {"password": "guess"},
        {"username": "default"},
    ],
    ids=["nobody", "default user", "wrong password", "default user with it"],
)
def test_without_name_and_password_nobody_gets_in(
    private: PrivateBroker, login: dict[str, str | None]
) -> None:
    refused = "(?i)authentication|invalid username|hello"
    with (
        client(private, **login) as stranger,
        pytest.raises(redis.RedisError, match=refused),
    ):
        stranger.ping()


def test_the_password_alone_is_not_enough(encrypted: PrivateBroker) -> None:
    unknown = {"ssl_certfile": None, "ssl_keyfile": None}
    with client(encrypted, **unknown) as stranger, pytest.raises(redis.RedisError):
        stranger.ping()
    with client(encrypted, ssl=False) as stranger, pytest.raises(redis.RedisError):
        stranger.ping()
    with client(encrypted) as known:
        assert known.ping()


def test_a_certificate_of_another_authority_is_refused(
    encrypted: PrivateBroker, tmp_path: Path
) -> None:
    other = new_certificates(encrypted.broker.addresses, encrypted.broker.run_id)
    certificate, key = tmp_path / "other.pem", tmp_path / "other.key"
    certificate.write_text(other.clients.certificate)
    key.write_text(other.clients.key)
    forged = {"ssl_certfile": str(certificate), "ssl_keyfile": str(key)}
    with client(encrypted, **forged) as stranger, pytest.raises(redis.RedisError):
        stranger.ping()


def test_a_server_with_a_certificate_of_another_authority_is_not_spoken_to(
    encrypted: PrivateBroker, tmp_path: Path
) -> None:
    other = new_certificates(encrypted.broker.addresses, encrypted.broker.run_id)
    authority = tmp_path / "other.pem"
    authority.write_text(other.clients.authority)
    with (
        client(encrypted, ssl_ca_certs=str(authority)) as careful,
        pytest.raises(redis.ConnectionError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        careful.ping()


def test_nobody_can_sign_another_certificate(encrypted: PrivateBroker) -> None:
    """The key of the authority is nowhere."""
    keys = [
        path.name
        for path in encrypted.folder.iterdir()
        if "PRIVATE KEY" in path.read_text()
    ]
    assert sorted(keys) == ["client.key", "server.key"]
    context = ssl.create_default_context()
    with pytest.raises(ssl.SSLError, match="(?i)mismatch"):
        context.load_cert_chain(
            encrypted.folder / "authority.pem", encrypted.folder / "client.key"
        )


DENIED = (
    "FLUSHALL",
    "FLUSHDB",
    "CONFIG GET *",
    "CONFIG SET maxclients 1",
    "CONFIG REWRITE",
    "SHUTDOWN NOSAVE",
    "SAVE",
    "BGSAVE",
    "KEYS *",
    "ACL LIST",
    "ACL SETUSER default on nopass",
    "CLIENT LIST",
    "CLIENT KILL TYPE normal",
    "DEBUG SLEEP 1",
    "MODULE LOAD /tmp/x.so",
    "MONITOR",
    "REPLICAOF 127.0.0.1 1",
    "SLOWLOG GET",
    "SORT queue",
    "SWAPDB 0 1",
    "LATENCY LATEST",
    "XADD stream * a b",
    "PFADD counter a",
    "GEOADD map 1 2 a",
    "BITCOUNT key",
)


def test_who_gets_in_may_do_no_more_than_workers_need(private: PrivateBroker) -> None:
    with client(private) as known:
        for command in DENIED:
            with pytest.raises(redis.ResponseError, match="permission|not allowed"):
                known.execute_command(*command.split())
        assert known.ping()
