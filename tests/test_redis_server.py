"""The private broker: started, noticed when it dies, stopped."""

from __future__ import annotations

import ipaddress
import re
import signal
import socket
import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest
from cryptography import x509

from tests.brokers import binary as binary
from tests.brokers import (
    client,
    connected,
    order,
    private_broker,
    server_of,
    systems,
    wait_until,
)
from trap_hpc.engines.broker import read_broker
from trap_hpc.engines.redis_server import places, ports, server
from trap_hpc.engines.redis_server.server import start_private_broker
from trap_hpc.errors import BrokerError


def own_address() -> str:
    """An address of this host that is not loopback, if it has one."""
    for entries in psutil.net_if_addrs().values():
        for entry in entries:
            if entry.family == socket.AF_INET and not entry.address.startswith("127."):
                return str(entry.address)
    return "127.0.0.2"


def test_it_is_up_and_goes_without_a_trace(tmp_path: Path, binary: str) -> None:
    with private_broker(tmp_path, binary=binary) as private:
        started = [psutil.Process(private.guard.pid), server_of(private)]
        with client(private) as known:
            assert known.ping()
            assert known.lpush("queue", "task") == 1
        assert private.alive()
        assert private.broker.private
        assert read_broker(tmp_path / "broker.json") == private.broker
        private.stop()
        assert not private.alive()
        assert not any(process.is_running() for process in started)
        assert not private.folder.exists()
        assert not (tmp_path / "broker.json").exists()
    # which stops it a second time


def test_it_listens_where_it_should_and_nowhere_else(
    tmp_path: Path, binary: str
) -> None:
    addresses = (own_address(), "127.0.0.1", "::1")
    with private_broker(tmp_path, binary=binary, addresses=addresses) as private:
        listening = server_of(private).net_connections("tcp")
        found = {(each.laddr.ip, each.laddr.port) for each in listening}
        port = private.broker.port
        assert {each for each in found if each[1] == port} >= {
            (address, port) for address in addresses
        }
        assert {ip for ip, _ in found} <= set(addresses)
        for address in addresses:
            with connected(private.broker, private.folder, address) as stream:
                stream.sendall(b"PING\r\n")
                assert stream.recv(99).startswith(b"-NOAUTH")


def test_more_addresses_than_redis_takes_are_cut(tmp_path: Path) -> None:
    many = tuple(f"127.0.0.{n}" for n in range(1, 21))
    with private_broker(tmp_path, addresses=many) as private:
        assert private.broker.addresses == many[:16]


def test_an_address_of_another_host_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BrokerError, match="can't listen on 203.0.113.7: Cannot assign"):
        start_private_broker(
            order(tmp_path, addresses=("203.0.113.7",)), lambda _: None
        )


def test_a_port_that_is_taken_in_between_is_no_matter(
    tmp_path: Path, binary: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        offered = iter([taken.getsockname()[1], ports.free_port(["127.0.0.1"])])
        monkeypatch.setattr(server, "free_port", lambda _: next(offered))
        with private_broker(tmp_path, binary=binary) as private:
            assert private.broker.port != taken.getsockname()[1]


def test_certificates_are_of_this_run_and_for_all_its_addresses(
    tmp_path: Path,
) -> None:
    addresses = ("127.0.0.1", "127.0.0.2", "::1")
    with private_broker(tmp_path, binary=systems(), addresses=addresses) as private:
        pem = (private.folder / "server.pem").read_bytes()
        for address in addresses:
            connected(private.broker, private.folder, address).close()
    shown = x509.load_pem_x509_certificate(pem)
    names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert names.value.get_values_for_type(x509.IPAddress) == [
        ipaddress.ip_address(address) for address in addresses
    ]
    now = datetime.now(UTC)
    assert shown.not_valid_before_utc < now - timedelta(hours=23)
    assert shown.not_valid_after_utc > now + timedelta(days=59)


def test_it_is_a_server_for_others_to_check(tmp_path: Path) -> None:
    """A client that expects another address does not talk to it."""
    with private_broker(tmp_path, binary=systems(), addresses=("127.0.0.1",)) as one:
        bare = socket.create_connection(("127.0.0.1", one.broker.port), 10.0)
        context = ssl.create_default_context(cafile=str(one.folder / "authority.pem"))
        context.load_cert_chain(one.folder / "client.pem", one.folder / "client.key")
        with bare, pytest.raises(ssl.SSLCertVerificationError, match="10.9.8.7"):
            context.wrap_socket(bare, server_hostname="10.9.8.7")


def test_its_folder_is_private_and_on_this_host(tmp_path: Path, binary: str) -> None:
    with private_broker(tmp_path, binary=binary) as private:
        assert private.folder.parent == Path("/tmp")
        assert stat.S_IMODE(private.folder.stat().st_mode) == 0o700
        for path in private.folder.iterdir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_a_full_place_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = tmp_path / 'a "b" \\ c'
    odd.mkdir()
    monkeypatch.setattr(places, "places", lambda: ("/dev/full", "/proc", str(odd)))
    with private_broker(tmp_path) as private:
        assert private.folder.parent == odd
        assert private.alive()
    monkeypatch.setattr(places, "places", lambda: ("/proc",))
    with pytest.raises(BrokerError, match="no folder .* free some space"):
        start_private_broker(order(tmp_path), lambda _: None)


def test_credentials_of_a_later_session_are_left(tmp_path: Path) -> None:
    with private_broker(tmp_path) as private:
        path = tmp_path / "broker.json"
        path.unlink()
        with private_broker(tmp_path, epoch=2) as later:
            private.stop()
            assert read_broker(path) == later.broker


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (signal.SIGTERM, "User requested shutdown.*guard: the server ended with 0"),
        (signal.SIGKILL, "guard: the server was killed by SIGKILL$"),
        (signal.SIGSEGV, "crashed by signal: 11|was killed by SIGSEGV"),
    ],
)
def test_a_server_that_dies_is_noticed_with_its_last_words(
    tmp_path: Path, number: signal.Signals, words: str
) -> None:
    with private_broker(tmp_path) as private:
        server_of(private).send_signal(number)
        wait_until(lambda: not private.alive())
        assert re.search(words, private.why_ended())
    assert not private.folder.exists()


def test_a_thousand_tasks_pass_through(tmp_path: Path, binary: str) -> None:
    with private_broker(tmp_path, binary=binary) as private, client(private) as known:
        known.lpush("queue", *[f"task {n}" for n in range(1000)])
        assert known.brpop("queue") == (b"queue", b"task 0")
        assert known.llen("queue") == 999
