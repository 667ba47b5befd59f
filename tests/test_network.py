"""Addresses of this host, and dialling."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import SimpleNamespace

import psutil
import pytest
import trustme

from trap_hpc.errors import UsageError
from trap_hpc.network import (
    Address,
    candidates,
    dial,
    host_name,
    own_addresses,
)

LOGIN_NODE = {
    "lo": ["127.0.0.1", "::1"],
    "docker0": ["172.17.0.1"],
    "eth0": ["fe80::1%eth0", "2001:db8::5", "192.0.2.7"],
    "eth1": ["198.51.100.7"],
    "eth1:1": ["198.51.100.8"],
    "down0": ["203.0.113.7"],
    "ib0": ["10.9.0.7", "169.254.0.9"],
}


@pytest.fixture
def login_node(monkeypatch: pytest.MonkeyPatch) -> None:
    """The interfaces of a login node as they often are."""

    def entry(address: str) -> SimpleNamespace:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return SimpleNamespace(family=family, address=address)

    there = {name: list(map(entry, each)) for name, each in LOGIN_NODE.items()}
    stats = {n: SimpleNamespace(isup=n != "down0") for n in there if ":" not in n}
    monkeypatch.setattr(psutil, "net_if_addrs", lambda: there)
    monkeypatch.setattr(psutil, "net_if_stats", lambda: stats)


def chosen(*wanted: str) -> list[str]:
    return [each.address for each in candidates(wanted, loopback=False)]


@pytest.mark.usefixtures("login_node")
def test_fast_networks_come_first_and_bridges_last() -> None:
    assert candidates([], loopback=False) == [
        Address("10.9.0.7", "ib0"),
        Address("192.0.2.7", "eth0"),
        Address("198.51.100.7", "eth1"),
        Address("198.51.100.8", "eth1:1"),
        Address("2001:db8::5", "eth0"),
        Address("172.17.0.1", "docker0"),
    ]


@pytest.mark.usefixtures("login_node")
@pytest.mark.parametrize(
    ("wanted", "addresses"),
    [
        (["eth1", "ib0"], ["198.51.100.7", "10.9.0.7"]),
        (["eth0"], ["192.0.2.7", "2001:db8::5"]),
        (["hsn*", "ib*"], ["10.9.0.7"]),
        (["198.51.100.8"], ["198.51.100.8"]),
        (["10.0.0.0/8", "192.0.2.0/24"], ["10.9.0.7", "192.0.2.7"]),
        (["2001:db8::/32"], ["2001:db8::5"]),
        (["eth1*", "eth1", "198.51.100.7"], ["198.51.100.7", "198.51.100.8"]),
    ],
)
def test_the_profile_chooses_and_orders(
    wanted: list[str], addresses: list[str]
) -> None:
    assert chosen(*wanted) == addresses


@pytest.mark.usefixtures("login_node")
def test_a_name_of_this_host_is_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolved(name: str, *_: object, **__: object) -> list[object]:
        assert name == "login-ib.example.org"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.9.0.7", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    assert chosen("login-ib.example.org") == ["10.9.0.7"]


@pytest.mark.usefixtures("login_node")
@pytest.mark.parametrize("wanted", ["hsn0", "down0", "lo", "127.0.0.1", "hsn*", "1/8"])
def test_what_is_not_there_is_refused_with_what_is(wanted: str) -> None:
    with pytest.raises(UsageError) as caught:
        chosen(wanted)
    said = str(caught.value)
    assert said.startswith(f"interface {wanted}: {host_name()} has none such; it has ")
    assert "ib0 10.9.0.7" in said
    assert "127.0.0.1" not in said.partition("it has")[2]


def test_loopback_is_for_this_host_alone() -> None:
    assert candidates(["ib0"], loopback=True) == [Address("127.0.0.1", "lo")]
    assert not [a for a in own_addresses() if a.address.startswith(("127.", "::1"))]


def test_a_host_without_a_network_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "net_if_addrs", dict)
    with pytest.raises(UsageError, match="no address but loopback"):
        candidates([], loopback=False)


def test_the_host_has_a_name() -> None:
    assert host_name().partition(".")[0] == socket.gethostname().partition(".")[0]


# Dialling --------------------------------------------------------------------------


@contextmanager
def listening(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """Serve connections on loopback, one after the other; give the port."""

    def accept() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            # Whom it does not like, the other side may leave in any way.
            with connection, suppress(OSError):
                serve(connection)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(10)


def quiet(connection: socket.socket) -> None:
    """Say nothing until the other side is gone."""
    connection.settimeout(10)
    while connection.recv(100):
        pass


def echo(connection: socket.socket) -> None:
    connection.settimeout(10)
    connection.sendall(connection.recv(100))


def complain(connection: socket.socket) -> None:
    connection.settimeout(10)
    connection.recv(10_000)
    connection.sendall(b"-ERR unknown command\r\n")
    quiet(connection)


def hang_up(connection: socket.socket) -> None:
    connection.recv(100)


def error(
    port: int,
    tls: ssl.SSLContext | None = None,
    hello: bytes = b"",
    timeout_s: float = 5,
) -> str:
    (only,) = dial(["127.0.0.1"], port, tls=tls, timeout_s=timeout_s, hello=hello)
    return only.error


def test_what_listens_answers() -> None:
    with listening(quiet) as port:
        assert not error(port)
    with listening(echo) as port:
        assert not error(port, hello=b"PING\r\n")


def test_what_accepts_but_does_not_answer_is_found() -> None:
    with listening(hang_up) as port:
        assert error(port, hello=b"x") == "accepted, and closed without an answer"
    with listening(quiet) as port:
        assert error(port, hello=b"x", timeout_s=0.3) == "timed out after 0.3 s"


def test_all_are_dialled_at_once_and_told_in_order() -> None:
    addresses = ["127.0.0.1", "no-such-host.invalid", "127.0.0.1"]
    with listening(quiet) as port:
        found = dial(addresses, port, tls=None, timeout_s=5)
    assert [each.address for each in found] == addresses
    assert [bool(each.error) for each in found] == [False, True, False]
    assert "not known" in found[1].error or "resolution" in found[1].error
    assert all(0 <= each.seconds < 10 for each in found)
    assert dial([], port, tls=None, timeout_s=5) == []


def test_a_closed_port_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert error(port).startswith("refused: ")


def both_sides() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    authority = trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return server, client


def shaking_hands(context: ssl.SSLContext) -> Callable[[socket.socket], None]:
    def serve(connection: socket.socket) -> None:
        connection.settimeout(10)
        with context.wrap_socket(connection, server_side=True) as encrypted:
            quiet(encrypted)

    return serve


def test_an_encrypted_broker_answers_whom_it_should() -> None:
    server, client = both_sides()
    stranger = ssl.create_default_context()
    with listening(shaking_hands(server)) as port:
        assert not error(port, client)
        assert error(port, stranger).startswith("TLS: ")
        assert "certificate" in error(port, stranger)
    with listening(complain) as port:
        assert error(port, client) == "TLS: what listens there does not speak it"
    with listening(quiet) as port:
        assert error(port, client, timeout_s=0.3) == "timed out after 0.3 s"
