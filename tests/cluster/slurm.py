"""A Slurm that is up: what a test does with it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.cluster.disks import NAME, Disk
from tests.cluster.hosts import Host
from tests.cluster.processes import Command, Said, wait_until
from tests.cluster.shape import Shape, conf_path, site_profile
from tests.cluster.users import User

TRAP_HPC = (sys.executable, "-m", "trap_hpc")


class Slurm:
    """A cluster that is up. Paths are the same inside and outside, but for ``/tmp``."""

    def __init__(self, folder: Path, shape: Shape, users: tuple[User, User]) -> None:
        self.folder = folder
        self.shape = shape
        self.name = folder.name
        self.conf = conf_path(folder)
        self.user, self.other = users
        self.work = self.user.home
        """A folder of the user on the file system that all hosts share."""
        self.hosts: dict[str, Host] = {}
        self._commands: list[Command] = []

    @property
    def disk(self) -> Disk:
        """A small disk that the hosts share, too: `outside` says where we see it."""
        return Disk(self.folder / NAME, self.hosts["login"])

    def outside(self, path: Path) -> Path:
        """Return where we see what hosts see at ``path``, on whichever disk that is."""
        small = self.disk
        return small.host.path(path) if small.folder in path.parents else path

    # --- commands

    def popen_as_user(
        self,
        argv: Sequence[str | Path],
        *,
        host: str = "login",
        user: User | None = None,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> Command:
        """Start a command of an ordinary user, on the login host unless said."""
        command = self.hosts[host].start(
            argv, user=user or self.user, environment=environment, folder=folder
        )
        self._commands.append(command)
        return command

    def run_as_user(
        self,
        argv: Sequence[str | Path],
        *,
        host: str = "login",
        user: User | None = None,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        timeout_s: float = 60.0,
    ) -> Said:
        """Run a command of an ordinary user to its end, whatever that is."""
        return self.popen_as_user(
            argv, host=host, user=user, environment=environment, folder=folder
        ).wait(timeout_s)

    def trap_hpc(
        self, *words: str | Path, host: str = "login", timeout_s: float = 120.0
    ) -> Said:
        """Run ``trap-hpc`` as the user on a login host."""
        return self.run_as_user([*TRAP_HPC, *words], host=host, timeout_s=timeout_s)

    # --- the scheduler

    def squeue(self, *options: str) -> list[str]:
        """Return all jobs that are left, as ``id|name|state|node``, asked by root."""
        argv = ["squeue", "-h", "-r", "-o", "%i|%j|%T|%N", *options]
        return self.hosts["login"].run(argv).out.split()

    def node_states(self) -> list[str]:
        argv = ["sinfo", "-h", "-N", "-p", "main", "-o", "%T"]
        return self.hosts["login"].run(argv).out.split()

    def node(self, number: int) -> Host:
        """Return node ``number``, from 1."""
        return self.hosts[f"n{number}"]

    @property
    def nodes(self) -> list[Host]:
        return [self.hosts[name] for name in self.shape.node_names]

    def start_controller(self) -> None:
        self.hosts["login"].run(["slurmctld", "-f", self.conf])
        wait_until(self._answers, "slurmctld answers")

    def _answers(self) -> bool:
        ping = self.hosts["login"].start(["scontrol", "ping"])
        return "is UP" in ping.wait().out

    def stop_controller(self) -> None:
        """End slurmctld: clients find nobody there. Jobs go on."""
        self._signal("login", "slurmctld.pid", signal.SIGTERM)

    def freeze_controller(self) -> None:
        """Stop slurmctld: clients are let in and never hear an answer."""
        self._signal("login", "slurmctld.pid", signal.SIGSTOP)

    def thaw_controller(self) -> None:
        self._signal("login", "slurmctld.pid", signal.SIGCONT)

    def drain(self, *numbers: int) -> None:
        """Let no jobs begin on these nodes, or on all."""
        self._set_state("drain", numbers)

    def resume(self) -> None:
        """Let jobs begin again, everywhere."""
        states = enumerate(self.node_states(), 1)
        drained = [number for number, state in states if state.startswith("drain")]
        if drained:
            self._set_state("resume", drained)

    def _set_state(self, state: str, numbers: Sequence[int]) -> None:
        names = [f"n{number}" for number in numbers] or self.shape.node_names
        update = ["update", f"nodename={','.join(names)}", f"state={state}"]
        self.hosts["login"].run(["scontrol", *update, "reason=test"])

    def start_slurmd(self, number: int) -> None:
        self.node(number).run(["slurmd", "-f", self.conf])

    def kill_slurmd(self, number: int) -> None:
        """End a node's daemon; its jobs' processes go on."""
        self._signal(f"n{number}", f"slurmd-n{number}.pid", signal.SIGKILL)

    def _signal(self, host: str, pid_file: str, number: signal.Signals) -> None:
        pid = (self.folder / pid_file).read_text().strip()
        self.hosts[host].start(["kill", f"-{number.value}", pid]).wait()
        if number in (signal.SIGKILL, signal.SIGTERM):
            gone = self.hosts[host].path(f"/proc/{pid}")
            wait_until(lambda: not gone.exists(), f"{pid_file} has ended")

    def wait_idle(self, timeout_s: float = 60.0) -> None:
        """Wait until all nodes are there and have nothing to do."""
        wanted = ["idle"] * self.shape.nodes
        wait_until(
            lambda: self.node_states() == wanted, "all nodes are idle", timeout_s
        )

    def site(self, file_name: str = "test-slurm.toml", **changes: object) -> Path:
        """Write a site profile of the cluster for ``--site``; None drops a value."""
        path = self.user.home / file_name
        named = {key.replace("_", "-"): value for key, value in changes.items()}
        path.write_text(site_profile(named))
        os.chown(path, self.user.uid, self.user.gid)
        return path

    # --- after a test

    def tidy(self) -> list[str]:
        """Put everything right again, and return what had been left behind."""
        self._bring_back()
        left = self.end_commands() + self.squeue()
        if self.squeue():
            self.hosts["login"].run(["scancel", f"--user={self.user.name}"])
            wait_until(lambda: not self.squeue(), "cancelled jobs are gone", 60)
        for host in self.hosts.values():
            left += self._end_processes(host)
        self.wait_idle()
        return left

    def end_commands(self) -> list[str]:
        """End the user's commands; return those that still ran."""
        forced = [command.outer.args for command in self._commands if command.end()]
        self._commands.clear()
        return [f"still runs: {argv!r}" for argv in forced]

    def _bring_back(self) -> None:
        for host in self.hosts.values():
            if not host.pid:
                host.power_on()
            host.heal()
        if (self.folder / "slurmctld.pid").exists():
            self.thaw_controller()
        if not self._answers():
            self.start_controller()
        self.resume()
        for number, state in enumerate(self.node_states(), 1):
            if state.endswith("*") or state.startswith("down"):
                # It asks for work at once; a node that only answers again may wait.
                self.kill_slurmd(number)
                self.start_slurmd(number)

    def _end_processes(self, host: Host) -> list[str]:
        argv = ["ps", "-o", "pid=,args=", "-u", f"{self.user.uid},{self.other.uid}"]
        found = host.start(argv).wait().out.splitlines()
        for line in found:
            pid = line.split()[0]
            host.start(["kill", "-9", pid]).wait()
        return [f"{host.name}: {line.strip()}" for line in found]
