"""Hosts: a name, a network interface, processes and temporary folders of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.cluster.processes import ClusterError, Command, First, Said, entering
from tests.cluster.shape import LOGIN_HOSTS, NETWORK, address, outside_address
from tests.cluster.users import User
from tests.cluster.view import Cover

PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"
SWITCH = f"{NETWORK}.254"


class Host:
    """One host of a cluster. It can be switched off, and its cable be pulled out."""

    def __init__(
        self,
        name: str,
        *,
        keeper: int,
        conf: Path,
        covers: Sequence[Cover],
        binds: Sequence[tuple[str, str]] = (),
    ) -> None:
        self.name = name
        self.address = address(name)
        self.conf = conf
        self.pid = 0
        """Of the host's first process, as it is known outside; 0: it is off."""
        self._keeper = keeper
        self._covers = covers
        self._binds = binds
        self._first: First | None = None

    def begin(self) -> None:
        """Switch it on; `finish` waits until it is."""
        self._first = First(
            within=self._keeper,
            covers=self._covers,
            binds=self._binds,
            hostname=self.name,
        )

    def finish(self) -> None:
        assert self._first is not None
        self._first.ready()
        self.pid = self._first.pid
        cables = [_cable(self.name, self.pid, "eth0", "br0")]
        if self.name in LOGIN_HOSTS:
            cables.append(_cable(f"{self.name}-x", self.pid, "eth1", "br1"))
        self._switch("".join(cables))
        self._plug()

    def _plug(self) -> None:
        lines = (
            f"link set lo up\naddr add {self.address}/24 dev eth0\nlink set eth0 up\n"
        )
        if self.name in LOGIN_HOSTS:
            outside = outside_address(self.name)
            lines += f"addr add {outside}/24 dev eth1\nlink set eth1 up\n"
        # The switch forwards nothing: what goes elsewhere gets lost without an answer.
        lines += f"route add default via {SWITCH}\n"
        _ip(self.pid, lines)

    def _switch(self, lines: str) -> None:
        _ip(self._keeper, lines)

    def end(self) -> None:
        """Switch it off: all its processes are gone, without a goodbye."""
        if self._first is not None:
            self._first.end()
            self._first, self.pid = None, 0

    def power_on(self) -> None:
        """Switch it on again. What ran on it does not come back."""
        self.begin()
        self.finish()

    def cut(self) -> None:
        """Pull its cable out: nothing reaches it, and it reaches nothing."""
        self._switch(f"link set {self.name} down\n")

    def heal(self) -> None:
        """Put its cable in again."""
        if self.pid:
            self._switch(f"link set {self.name} up\n")

    def path(self, path: Path | str) -> Path:
        """Return how to read a path of the host's own from outside: one in ``/tmp``."""
        return Path(f"/proc/{self.pid}/root{path}")

    def start(
        self,
        argv: Sequence[str | Path],
        *,
        user: User | None = None,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> Command:
        """Start a command on this host, as root or as ``user`` in their home."""
        return Command(self.command(argv, user, environment or {}, folder))

    def command(
        self,
        argv: Sequence[str | Path],
        user: User | None,
        environment: Mapping[str, str],
        folder: Path | None = None,
    ) -> list[str]:
        """Return how to run ``argv`` on this host from outside."""
        words = entering(self.pid)
        if user is not None:
            ids = [f"--reuid={user.uid}", f"--regid={user.gid}"]
            words += ["setpriv", *ids, "--clear-groups"]
        values = {**self.environment(user), **environment}
        variables = [f"{name}={value}" for name, value in values.items()]
        where = folder or (Path("/") if user is None else user.home)
        return [*words, "env", "-i", "-C", str(where), *variables, *map(str, argv)]

    def environment(self, user: User | None) -> dict[str, str]:
        """Return the variables that commands get."""
        name = "root" if user is None else user.name
        return {
            # Of an environment that is active, as a user has it who wants `trap-hpc`.
            "PATH": f"{Path(sys.prefix) / 'bin'}:{PATH}",
            "HOME": "/root" if user is None else str(user.home),
            "USER": name,
            "LOGNAME": name,
            "SHELL": "/bin/bash",
            "LANG": "C.UTF-8",
            "SLURM_CONF": str(self.conf),
        }

    def run(self, argv: Sequence[str | Path], timeout_s: float = 60.0) -> Said:
        """Run a command as root to its end; that it fails is an error."""
        said = self.start(argv).wait(timeout_s)
        if said.code != 0:
            raise ClusterError(f"{self.name}: {list(map(str, argv))}: {said}")
        return said


def _cable(name: str, pid: int, inside: str, bridge: str) -> str:
    """Make a pair of interfaces: one in the host, its other end at the switch."""
    return (
        f"link add {name} type veth peer name {inside} netns {pid}\n"
        f"link set {name} master {bridge}\nlink set {name} up\n"
    )


def make_switch(keeper: int) -> None:
    """Make the two networks: one for all, one that only login hosts are on."""
    _ip(
        keeper,
        f"link set lo up\nlink add br0 type bridge\nlink add br1 type bridge\n"
        f"addr add {SWITCH}/24 dev br0\nlink set br0 up\nlink set br1 up\n",
    )


def _ip(pid: int, lines: str) -> None:
    done = subprocess.run(
        # Only the network is entered: processes keep the numbers of outside.
        ["nsenter", f"--target={pid}", "--net", "--", "ip", "-batch", "-"],
        input=lines,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise ClusterError(f"ip refused:\n{lines}{done.stderr}")
