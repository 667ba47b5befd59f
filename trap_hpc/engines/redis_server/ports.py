"""A port that is free on several addresses of this host."""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence
from contextlib import ExitStack

from trap_hpc.errors import BrokerError

TRIES = 50


def free_port(addresses: Sequence[str]) -> int:
    """Return a port, by chance, that nobody uses on any of ``addresses``.

    Raises
    ------
    BrokerError
        One of them is not an address of this host, or no port is free.
    """
    for _ in range(TRIES):
        port = _free_everywhere(addresses)
        if port is not None:
            return port
    raise BrokerError(f"no port is free on all of {', '.join(addresses)}")


def _free_everywhere(addresses: Sequence[str]) -> int | None:
    port = 0
    with ExitStack() as stack:
        for address in addresses:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            try:
                held = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
                held.bind((address, port))
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    return None
                raise BrokerError(
                    f"the broker can't listen on {address}: {error.strerror or error}; "
                    "`interface` in the site profile must name addresses of this host"
                ) from None
            port = held.getsockname()[1]
    return port
