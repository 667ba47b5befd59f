"""A road to a broker that can be cut, frozen and counted."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Proxy:
    """Passes bytes on, both ways, while it is open."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        self._target = (host, port)
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=2000)
        self.port: int = self._listener.getsockname()[1]
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self.passing = threading.Event()
        """Cleared: connections stay, and nothing comes through."""
        self.passing.set()
        self.admitting = True
        threading.Thread(target=self._serve, daemon=True).start()

    def cut(self) -> int:
        """Reset all connections; return how many there were."""
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for side in pair:
                with suppress(OSError):
                    side.shutdown(socket.SHUT_RDWR)
        return len(pairs)

    def close(self) -> None:
        self.admitting = False
        self.passing.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                if not self.admitting:
                    client.close()
                    continue
            except OSError:
                return
            try:
                if self._tls is not None:
                    client = self._tls.wrap_socket(client, server_side=True)
                server = socket.create_connection(self._target)
            except OSError:
                client.close()
                continue
            self._pairs.append((client, server))
            for ways in ((client, server), (server, client)):
                threading.Thread(target=self._pass, args=ways, daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while received := source.recv(65536):
                self.passing.wait()
                target.sendall(received)
        for side in (source, target):
            with suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)
            side.close()


@contextmanager
def proxy_to(
    host: str, port: int, tls: ssl.SSLContext | None = None
) -> Iterator[Proxy]:
    """A proxy that is closed in the end; ``tls``: its clients must encrypt."""
    proxy = Proxy(host, port, tls)
    try:
        yield proxy
    finally:
        proxy.close()
