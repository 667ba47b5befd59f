"""Brokers that are there already."""

from __future__ import annotations

from pathlib import Path

import pytest

from trap_hpc.engines.broker import Broker
from trap_hpc.engines.broker_url import (
    broker_from_url,
    broker_password,
    redacted,
    refuse_password,
)
from trap_hpc.errors import UsageError


def from_url(url: str, password: str = "") -> Broker:
    return broker_from_url(
        url,
        password=password,
        run_id="trap-abcdefgh",
        epoch=3,
        identity="0123456789abcdef",
        snapshot="fedcba",
        lease_s=30.0,
        beat_s=2.0,
    )


@pytest.mark.parametrize(
    ("url", "reached_by"),
    [
        ("redis://host", "redis://host:6379/0"),
        ("redis://host:7000/3", "redis://host:7000/3"),
        ("rediss://me@host/", "rediss://me:s%2F%40%3A@host:6379/0"),
        ("amqp://me@host", "amqp://me:s%2F%40%3A@host:5672/%2F"),
        ("amqps://me@host/astro", "amqps://me:s%2F%40%3A@host:5671/astro"),
        ("amqp://me@host//", "amqp://me:s%2F%40%3A@host:5672/%2F"),
        ("amqp://me@host/%2F", "amqp://me:s%2F%40%3A@host:5672/%2F"),
        ("amqp://a%40b@host/x%2Fy", "amqp://a%40b:s%2F%40%3A@host:5672/x%2Fy"),
        ("redis://me@[fd00::2]:7000", "redis://me:s%2F%40%3A@[fd00::2]:7000/0"),
    ],
)
def test_a_url_says_where_and_the_password_comes_from_elsewhere(
    url: str, reached_by: str
) -> None:
    broker = from_url(url, "s/@:" if "@" in url else "")
    assert broker.url(broker.addresses[0]) == reached_by
    assert not broker.private
    assert (broker.epoch, broker.lease_s, broker.beat_s) == (3, 30.0, 2.0)


def test_redis_needs_no_name_with_a_password() -> None:
    assert from_url("redis://host", "secret").url("host") == (
        "redis://:secret@host:6379/0"
    )


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("host:6379", "must begin with one of amqp://"),
        ("http://host", "must begin with one of amqp://"),
        ("", "must begin with one of amqp://"),
        ("redis:///0", "names no host"),
        ("redis://host:port", "Port could not be cast"),
        ("redis://host:70000", "Port out of range"),
        ("redis://host:0", "0 is no port"),
        ("redis://host/zero", "'zero' is not the number of a Redis database"),
        ("redis://host/0?ssl_cert_reqs=none", r"options after \? or # are not taken"),
        ("amqp://host/vhost#x", r"options after \? or # are not taken"),
        ("redis://[fd00::2", "Invalid IPv6 URL"),
    ],
)
def test_what_is_no_broker_is_refused_with_an_example(url: str, fault: str) -> None:
    with pytest.raises(UsageError, match=f"{fault}.*; write it as amqps://user@"):
        from_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "redis://:pa55word@host:6379/0",
        "amqp://me:pa55word@host/vhost",
        "amqps://me:pa55word@[fd00::2]:5671//",
        "rediss://me:pa55/w@ord@host",
        "redis://host?password=pa55word",
    ],
)
def test_a_password_in_a_url_is_refused_and_not_repeated(url: str) -> None:
    for refuse in (lambda: refuse_password(url, "--broker"), lambda: from_url(url)):
        with pytest.raises(UsageError, match="--broker-password-file") as caught:
            refuse()
        assert "pa55" not in str(caught.value)
        assert "TRAP_HPC_BROKER_PASSWORD" in str(caught.value)
    assert "pa55" not in redacted(url)


def test_a_url_without_a_password_is_not_refused() -> None:
    for url in ("redis://host:6379/0", "amqp://me@host:5672/vhost", "amqp://h/a@b"):
        refuse_password(url, "--broker")
        assert redacted(url) == url


def test_a_password_is_read_from_a_file_of_its_owners(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.touch(mode=0o600)
    file.write_text(" with blanks \r\n")
    assert broker_password(file) == " with blanks "


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_password_file_that_others_may_use_is_refused(
    tmp_path: Path, mode: int
) -> None:
    file = tmp_path / "password"
    file.write_text("pa55word\n")
    file.chmod(mode)
    with pytest.raises(UsageError, match=rf"\(mode {mode:04o}\).*chmod 600") as caught:
        broker_password(file)
    assert "pa55" not in str(caught.value)


def test_a_password_file_that_says_nothing_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "password"
    for content, words in [(b"\n", "it is empty"), (b"\xff\xfe", "it is not text")]:
        file.touch(mode=0o600)
        file.write_bytes(content)
        with pytest.raises(UsageError, match=words):
            broker_password(file)
    with pytest.raises(UsageError, match="No such file"):
        broker_password(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="Is a directory"):
        broker_password(tmp_path)


def test_without_a_file_the_environment_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("TRAP_HPC_BROKER_PASSWORD", raising=False)
    assert broker_password(None) == ""
    monkeypatch.setenv("TRAP_HPC_BROKER_PASSWORD", "pa55word")
    assert broker_password(None) == "pa55word"
