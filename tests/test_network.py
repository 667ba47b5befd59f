"""Addresses of this host, and their order."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from types import SimpleNamespace

import psutil
import pytest

from tests.ci import lacking
from trap_hpc.errors import UsageError
from trap_hpc.network import (
    Address,
    candidates,
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


# A host of its own, in a namespace -------------------------------------------------

HOST = """
set -e
ip link set lo up
add() {
    ip link add "$1" type veth peer name "peer-$1"
    ip addr add "$2" dev "$1"
}
add docker0 172.17.0.1/16
add eth0 192.0.2.7/24
add eth1 198.51.100.7/24
add ib0 10.9.0.7/24
for name in docker0 eth0 ib0; do
    ip link set $name up
    ip link set "peer-$name" up
done
exec "$@"
"""

ASK = """
from trap_hpc.network import candidates, dial
print([each.address for each in candidates([], loopback=False)])
print([each.address for each in candidates(["ib*"], loopback=False)])
print(*dial(["203.0.113.1", "10.9.0.7"], 9, tls=None, timeout_s=5), sep="\\n")
"""


def test_a_real_host_with_several_networks() -> None:
    if os.geteuid() or not shutil.which("unshare") or not shutil.which("ip"):
        lacking("network namespaces need root, unshare and iproute2")
    done = subprocess.run(
        ["unshare", "--net", "sh", "-c", HOST, "sh", sys.executable, "-c", ASK],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    default, by_pattern, no_way, closed = done.stdout.splitlines()
    assert default == "['10.9.0.7', '192.0.2.7', '172.17.0.1']", "eth1 is down"
    assert by_pattern == "['10.9.0.7']"
    assert "error='network is unreachable'" in no_way
    assert "error='refused: " in closed
