"""Which program becomes the private broker, and whether it encrypts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.brokers import binary as binary
from tests.brokers import (
    client,
    order,
    private_broker,
    systems,
    wheels,
)
from trap_hpc.engines.redis_server import places
from trap_hpc.engines.redis_server.program import find_programs
from trap_hpc.engines.redis_server.server import start_private_broker
from trap_hpc.errors import BrokerError


@pytest.fixture
def nothing_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def program(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_encryption_is_used_where_the_program_can(tmp_path: Path) -> None:
    with private_broker(tmp_path, binary=systems()) as private:
        assert private.broker.scheme == "rediss"
        assert private.remark == ""
    with private_broker(tmp_path, binary=systems(), tls="off") as private:
        assert private.broker.scheme == "redis"
        assert "off in the site profile" in private.remark


def test_it_is_said_why_traffic_is_not_encrypted(tmp_path: Path) -> None:
    said: list[str] = []
    private = start_private_broker(order(tmp_path, binary=wheels()), said.append)
    private.stop()
    assert private.broker.scheme == "redis"
    assert private.remark == (
        f"traffic is not encrypted: {private.program} was built without TLS"
    )
    assert len(said) == 1
    assert private.remark in said[0]
    assert private.broker.password not in said[0]


def test_required_encryption_is_never_left_out(tmp_path: Path) -> None:
    with pytest.raises(BrokerError, match="no broker with TLS .* built without TLS"):
        start_private_broker(
            order(tmp_path, binary=wheels(), tls="required"), lambda _: None
        )


def test_a_program_that_can_encrypt_is_preferred(
    tmp_path: Path, nothing_on_path: Path
) -> None:
    (nothing_on_path / "redis-server").symlink_to(wheels())
    (nothing_on_path / "valkey-server").symlink_to(systems())
    with private_broker(tmp_path) as private:
        assert private.broker.scheme == "rediss"
        assert "valkey-server" in private.program


@pytest.mark.usefixtures("nothing_on_path")
def test_with_nothing_on_path_there_is_the_program_of_the_wheel(tmp_path: Path) -> None:
    with private_broker(tmp_path) as private, client(private) as known:
        assert private.program.startswith(wheels())
        assert known.ping()


def test_programs_that_do_not_run_are_passed_over(
    tmp_path: Path, nothing_on_path: Path
) -> None:
    lacks = "echo 'error while loading shared libraries: libfoo.so.1' >&2; exit 127"
    program(nothing_on_path, "redis-server", lacks)
    program(nothing_on_path, "valkey-server", "echo Redis server v=5.0.7 sha=0")
    found = find_programs()
    assert [each.path for each in found.programs] == [wheels()]
    assert "libfoo.so.1" in found.skipped[0]
    assert found.skipped[1].endswith("is 5.0.7: too old, 6.2 or later is needed")
    with private_broker(tmp_path) as private:
        assert private.program.startswith(wheels())


def test_a_named_program_is_used_or_refused(tmp_path: Path) -> None:
    for name, words in [("nowhere", "No such file"), ("", "Permission denied|v=")]:
        wanted = order(tmp_path, binary=str(tmp_path / name))
        with pytest.raises(BrokerError, match=words) as caught:
            start_private_broker(wanted, lambda _: None)
        assert "broker-binary" in str(caught.value)


def test_a_program_that_starts_and_fails_is_told_with_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "places", lambda: (str(tmp_path),))
    says = '[ "$1" = --version ] && echo Redis server v=7.2.0 || echo out of luck'
    wanted = order(tmp_path, binary=program(tmp_path, "redis", says))
    with pytest.raises(BrokerError, match=r"\(7.2.0\) did not start: out of luck"):
        start_private_broker(wanted, lambda _: None)
    assert not list(tmp_path.glob(f"{places.PREFIX}*"))
