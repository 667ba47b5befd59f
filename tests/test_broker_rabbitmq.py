"""The RabbitMQ that tests start."""

from __future__ import annotations

import socket
import struct

from tests.rabbitmq import RabbitMQ

START, TUNE = (10, 10), (10, 30)
"""Class and method, as AMQP 0-9-1 numbers them."""


def frame(payload: bytes) -> bytes:
    return struct.pack(">BHI", 1, 0, len(payload)) + payload + b"\xce"


def next_method(stream: socket.socket) -> tuple[int, int] | None:
    """Class and method of the next frame; None if the server hangs up."""
    try:
        head = stream.recv(7, socket.MSG_WAITALL)
        payload = stream.recv(struct.unpack(">BHI", head)[2] + 1, socket.MSG_WAITALL)
    except (OSError, struct.error):
        return None
    found: tuple[int, int] = struct.unpack(">HH", payload[:4])
    return found


def answer_to(server: RabbitMQ, password: str) -> tuple[int, int] | None:
    """What the server says to somebody with this password."""
    login = f"\0{server.user}\0{password}".encode()
    start_ok = struct.pack(">HHI6sI", 10, 11, 0, b"\x05PLAIN", len(login)) + login
    with socket.create_connection((server.host, server.port), 30.0) as stream:
        stream.sendall(b"AMQP\0\0\x09\x01")
        assert next_method(stream) == START
        stream.sendall(frame(start_ok + b"\x05en_US"))
        return next_method(stream)


def test_it_lets_in_who_knows_the_password_and_nobody_else(
    rabbitmq_url: RabbitMQ,
) -> None:
    assert answer_to(rabbitmq_url, rabbitmq_url.password) == TUNE
    assert answer_to(rabbitmq_url, "guess") is None
