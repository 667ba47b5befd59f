"""Dialling: which addresses answer, and why the others do not."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import trustme

from trap_hpc.network import dial


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


def test_what_can_be_no_name_is_told() -> None:
    (only,) = dial(["a..b"], 9, tls=None, timeout_s=5)
    assert only.error == "that is no name of a host"


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


def test_when_one_answers_the_others_are_not_waited_for() -> None:
    silent = "192.0.2.1"  # of no network
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        began_s = time.monotonic()
        addresses = [silent, "127.0.0.1"]
        late, here = dial(addresses, port, tls=None, timeout_s=30, patience_s=0.2)
    assert time.monotonic() - began_s < 5
    assert (late.address, bool(late.error)) == (silent, True)
    assert (here.address, here.error) == ("127.0.0.1", "")
