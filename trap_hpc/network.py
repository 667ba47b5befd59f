"""By which addresses the nodes can reach this host, and which of them answer.

A worker dials before it imports anything heavy: so this module is light.
"""

from __future__ import annotations

import contextlib
import fnmatch
import ipaddress
import socket
import ssl
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread

from trap_hpc.errors import UsageError

LOOPBACK = "127.0.0.1"

FAST = ("ib*", "hsn*", "opa*", "hfi*", "ipogif*", "roce*")
"""Interfaces of networks between nodes: the ones that nodes surely have."""
BRIDGES = ("docker*", "virbr*", "veth*", "br-*", "cni*", "flannel*", "podman*", "lxc*")
"""Interfaces that lead into this host's own containers."""


@dataclass(frozen=True, slots=True)
class Address:
    """An address of this host."""

    address: str
    interface: str


@dataclass(frozen=True, slots=True)
class Dialled:
    """What came of dialling an address; an empty error: it answered."""

    address: str
    error: str
    seconds: float


def host_name() -> str:
    """Return this host's name, with its domain where that is known."""
    name = socket.gethostname()
    try:
        entries = socket.getaddrinfo(name, None, flags=socket.AI_CANONNAME)
    except OSError:
        return name
    full = entries[0][3]
    return full if full.startswith(f"{name}.") else name


def candidates(wanted: Sequence[str], *, loopback: bool) -> list[Address]:
    """Return this host's addresses that nodes may try, the best one first.

    ``wanted`` are names of interfaces (patterns such as ``ib*`` too), addresses,
    networks, or names of this host; empty: all but loopback, fast networks first.
    ``loopback``: 127.0.0.1 alone, for workers on this host.

    Raises
    ------
    UsageError
        A wanted one is not there (a pattern may match nothing, if another one does),
        or there is none at all.
    """
    if loopback:
        return [Address(LOOPBACK, "lo")]
    present = own_addresses()
    if not wanted:
        if not present:
            raise UsageError(
                "this host has no address but loopback: no other host can reach it"
            )
        return sorted(present, key=_rank)
    chosen = [address for word in wanted for address in _matching(word, present)]
    if not chosen:
        raise UsageError(_none_such(", ".join(wanted), present))
    return list(dict.fromkeys(chosen))


def own_addresses() -> list[Address]:
    """Return the addresses of all interfaces that are up, IPv4 first.

    Without loopback and those that hold on one link alone.
    """
    import psutil

    up = {name for name, stats in psutil.net_if_stats().items() if stats.isup}
    found = [
        Address(entry.address, name)
        for name, entries in psutil.net_if_addrs().items()
        for entry in entries
        # eth0:1 is a second name of eth0.
        if name.partition(":")[0] in up
        and entry.family in (socket.AF_INET, socket.AF_INET6)
    ]
    offered = [each for each in found if _is_offered(each.address)]
    return sorted(offered, key=lambda each: ":" in each.address)


def _is_offered(address: str) -> bool:
    if "%" in address:  # fe80::1%eth0
        return False
    parsed = ipaddress.ip_address(address)
    return not (parsed.is_loopback or parsed.is_link_local)


def _rank(address: Address) -> tuple[int, bool]:
    """Sort by kind of network; within one the system's order stays."""
    fast = _is_like(address.interface, FAST)
    bridge = _is_like(address.interface, BRIDGES)
    return 2 * bridge - fast, ":" in address.address


def _is_like(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _matching(word: str, present: Sequence[Address]) -> list[Address]:
    by_name = [each for each in present if fnmatch.fnmatchcase(each.interface, word)]
    if by_name or any(sign in word for sign in "*?["):
        return by_name
    found = _within(word, present) or _of_host(word, present)
    if not found:
        raise UsageError(_none_such(word, present))
    return found


def _none_such(wanted: str, present: Sequence[Address]) -> str:
    has = ", ".join(f"{each.interface} {each.address}" for each in present)
    return (
        f"interface {wanted}: {host_name()} has none such; it has "
        f"{has or 'nothing but loopback'}"
    )


def _within(word: str, present: Sequence[Address]) -> list[Address]:
    """Return the addresses in the network (or the one address) called ``word``."""
    try:
        network = ipaddress.ip_network(word, strict=False)
    except ValueError:
        return []
    return [each for each in present if ipaddress.ip_address(each.address) in network]


def _of_host(word: str, present: Sequence[Address]) -> list[Address]:
    """Return our addresses among those that the name ``word`` stands for."""
    try:
        entries = socket.getaddrinfo(word, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    addresses = {entry[4][0] for entry in entries}
    return [each for each in present if each.address in addresses]


# Dialling --------------------------------------------------------------------------


def dial(
    addresses: Sequence[str],
    port: int,
    *,
    tls: ssl.SSLContext | None,
    timeout_s: float,
    hello: bytes = b"",
    patience_s: float | None = None,
) -> list[Dialled]:
    """Try all addresses at the same time, and say of each, in order, what came of it.

    With ``tls`` only a whole handshake counts as an answer; with ``hello``, which is
    sent then, only something that comes back: firewalls and proxies may accept any
    connection. It takes about ``timeout_s`` seconds at most. When one has answered,
    the others may take ``patience_s`` more: packets to them may be lost in silence.
    """
    began_s = time.monotonic()
    ends_s = began_s + timeout_s + 1.0
    told: SimpleQueue[tuple[int, Dialled]] = SimpleQueue()

    def dialled(number: int, address: str) -> None:
        error = _tried(address, port, tls, timeout_s, hello)
        told.put((number, Dialled(address, error, _since(began_s))))

    for number, address in enumerate(addresses):
        # Nobody waits for those that are not heard of.
        Thread(target=dialled, args=(number, address), daemon=True).start()
    found: dict[int, Dialled] = {}
    while len(found) < len(addresses) and (left_s := ends_s - time.monotonic()) > 0:
        with contextlib.suppress(Empty):
            number, each = told.get(timeout=left_s)
            found[number] = each
            if not each.error and patience_s is not None:
                ends_s = min(ends_s, time.monotonic() + patience_s)
    silence = f"no answer within {_since(began_s):.0f} s, when others had answered"
    return [
        found.get(number, Dialled(address, silence, _since(began_s)))
        for number, address in enumerate(addresses)
    ]


def _since(began_s: float) -> float:
    return round(time.monotonic() - began_s, 3)


def _tried(
    address: str,
    port: int,
    tls: ssl.SSLContext | None,
    timeout_s: float,
    hello: bytes,
) -> str:
    """Return what went wrong, in plain words."""
    deadline = time.monotonic() + timeout_s
    try:
        with socket.create_connection((address, port), timeout_s) as plain:
            plain.settimeout(max(deadline - time.monotonic(), 0.001))
            if tls is None:
                return _answer(plain, hello)
            with tls.wrap_socket(plain, server_hostname=address) as encrypted:
                return _answer(encrypted, hello)
    except ssl.SSLError as error:
        return f"TLS: {_tls_reason(error)}"
    except TimeoutError:
        return f"timed out after {timeout_s:g} s"
    except ConnectionRefusedError:
        return "refused: the host is there, and nothing listens on this port"
    except UnicodeError:
        return "that is no name of a host"
    except OSError as error:
        return (error.strerror or str(error)).lower()


def _answer(connection: socket.socket, hello: bytes) -> str:
    if not hello:
        return ""
    connection.sendall(hello)
    return "" if connection.recv(1) else "accepted, and closed without an answer"


def _tls_reason(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if error.reason == "WRONG_VERSION_NUMBER":
        return "what listens there does not speak it"
    return (error.reason or str(error)).replace("_", " ").lower()
