"""The private broker holds the connections of many workers."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.brokers import binary as binary
from tests.brokers import client, connected, private_broker, server_of
from tests.ci import lacking

CONNECTIONS = 2_000
"""Of 500 workers, four each."""
ROOM_BYTES = 100 * 2**20
OURS = 200
"""Files that this process has open besides."""


@pytest.fixture
def many_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + OURS
    if hard != resource.RLIM_INFINITY and hard < wanted:
        lacking(f"a process may open {hard} files here: ulimit -Hn {wanted}")
    raised = max(soft, wanted)
    resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_files")
def test_it_holds_the_connections_of_500_workers(tmp_path: Path, binary: str) -> None:
    with private_broker(tmp_path, binary=binary) as private, ExitStack() as stack:
        assert private.connections > CONNECTIONS
        server = server_of(private)
        before = server.memory_info().rss
        login = f"AUTH {private.broker.user} {private.broker.password}\r\n".encode()
        for _ in range(CONNECTIONS):
            held = stack.enter_context(connected(private.broker, private.folder))
            held.sendall(login)
            assert held.recv(5) == b"+OK\r\n"
        with client(private) as known:
            assert known.info("clients")["connected_clients"] > CONNECTIONS
            known.lpush("queue", "task")
            assert known.brpop("queue") == (b"queue", b"task")
        assert server.memory_info().rss - before < ROOM_BYTES
