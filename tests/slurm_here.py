"""A Slurm on the loopback: a controller and some nodes that are all this host.

Enough for what a scheduler's commands answer. It can't show what only hosts of their
own show, such as an address that the nodes don't reach.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.ci import lacking
from trap_hpc.shell import Process, start

START_S = 30.0
CONFIG = """\
ClusterName=loop
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
AuthType=auth/none
CredType=cred/none
SlurmUser=root
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
MpiDefault=none
MailProg=/bin/true
ReturnToService=2
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0,\
sched_min_interval=0
KillWait=3
SlurmdTimeout=10
MinJobAge=300
MaxArraySize={max_array_size}
OverTimeLimit=0
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
{nodes}
PartitionName=short Nodes=ALL Default=YES MaxTime=60 State=UP
PartitionName=long Nodes=ALL MaxTime=INFINITE State=UP
PartitionName=closed Nodes=ALL State=DOWN
"""


@dataclass
class SlurmHere:
    """The daemons of one Slurm, all in ``folder``."""

    folder: Path
    nodes: int
    cores: int
    max_array_size: int
    processes: dict[str, Process] = field(default_factory=dict)

    @property
    def conf(self) -> Path:
        return self.folder / "slurm.conf"

    def begin(self) -> None:
        host = socket.gethostname().partition(".")[0]
        ports = free_ports(self.nodes + 1)
        nodes = "\n".join(
            f"NodeName=n{index} NodeHostname={host} NodeAddr=127.0.0.1 "
            f"Port={port} CPUs={self.cores} RealMemory=4000"
            for index, port in enumerate(ports[1:], 1)
        )
        (self.folder / "state").mkdir(parents=True)
        text = CONFIG.format(
            host=host,
            port=ports[0],
            folder=self.folder,
            nodes=nodes,
            max_array_size=self.max_array_size,
        )
        self.conf.write_text(text)
        self.start_controller()
        for index in range(1, self.nodes + 1):
            self.start_node(f"n{index}")
        idle = f"{self.nodes}"
        wait_until(lambda: idle in self.ask("sinfo", "-h", "-t", "idle", "-o", "%D"))

    def start_controller(self) -> None:
        self._start("slurmctld", "-D", "-f", str(self.conf))
        wait_until(lambda: "UP" in self.ask("scontrol", "ping"))

    def start_node(self, name: str) -> None:
        self._start("slurmd", "-D", "-f", str(self.conf), "-N", name, key=name)

    def _start(self, *argv: str, key: str = "") -> None:
        self.processes[key or argv[0]] = start(
            argv,
            environment=clean_environment(SLURM_CONF=str(self.conf)),
            output=self.folder / f"{key or argv[0]}.out",
            dies_with_us=True,
        )

    def end(self, key: str) -> None:
        """End one daemon."""
        process = self.processes.pop(key)
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def ask(self, *argv: str) -> str:
        done = subprocess.run(
            argv,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            env=clean_environment(SLURM_CONF=str(self.conf)),
        )
        return done.stdout + done.stderr

    def tidy(self) -> None:
        """End all jobs."""
        if "slurmctld" not in self.processes:
            self.start_controller()
        self.ask("scancel", "--me")
        wait_until(lambda: not self.ask("squeue", "-h").strip())

    def close(self) -> None:
        """End all jobs, then all daemons."""
        if self.processes:
            with suppress(AssertionError):  # what is left is ended with the nodes
                self.tidy()
        for key in reversed(list(self.processes)):
            self.end(key)


def clean_environment(**more: str) -> dict[str, str]:
    """Ours, without what another Slurm may have put there."""
    return {k: v for k, v in os.environ.items() if not k.startswith("SLURM")} | more


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def wait_until(condition: Callable[[], object], seconds: float = START_S) -> None:
    """Wait for ``condition``, and fail if it does not come."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not so after {seconds:g} s"
        time.sleep(0.05)


@contextmanager
def slurm_here(
    folder: Path, *, nodes: int = 2, cores: int = 4, max_array_size: int = 2001
) -> Iterator[SlurmHere]:
    """Bring a Slurm up, and remove it."""
    if not shutil.which("slurmctld") or not shutil.which("slurmd"):
        lacking("Slurm is not installed (Debian: slurm-wlm)")
    if os.geteuid() != 0:
        lacking("a Slurm of our own needs root")
    here = SlurmHere(folder, nodes, cores, max_array_size)
    try:
        here.begin()
        yield here
    finally:
        here.close()


@pytest.fixture(scope="session")
def loopback_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlurmHere]:
    """One Slurm on the loopback for all tests."""
    folder = tmp_path_factory.mktemp("loopback")
    with slurm_here(folder) as here:
        yield here


@pytest.fixture
def loopback(
    loopback_of_all: SlurmHere, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SlurmHere]:
    """A Slurm that all programs mean which this test runs. Its jobs end with it."""
    monkeypatch.setenv("SLURM_CONF", str(loopback_of_all.conf))
    yield loopback_of_all
    loopback_of_all.tidy()
