"""Whether the process that launched a session is still there."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil

from trap_hpc.network import host_name

SAME_S = 2.0
"""The beginning of a process is known no better: clocks are set."""
OF_BOOT = "/"
"""Between the boot and its table of processes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launcher:
    """One process, so that it is not mistaken for another with its number."""

    host: str
    machine: str
    """Which boot of which machine, and which of its process tables; empty: unknown."""
    pid: int
    began_s: float
    """Seconds since 1970."""


@cache
def this_process() -> Launcher:
    """Return what tells this process from all others."""
    process = psutil.Process()
    return Launcher(
        host=host_name(),
        machine=this_machine(),
        pid=process.pid,
        began_s=process.create_time(),
    )


@cache
def this_machine() -> str:
    """Name this boot of this machine and this table of processes; empty: unknown.

    Hosts share names, and containers on one host do not see each other's processes.
    """
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}{OF_BOOT}{os.stat('/proc/self/ns/pid').st_ino}"
    return ""


def still_runs(launcher: Launcher) -> bool | None:
    """Whether that process is there; None: it can't be told from here."""
    if not on_this_machine(launcher):
        return None
    if _is_there(launcher):
        return True
    return False if launcher.machine else None


def on_this_machine(launcher: Launcher) -> bool:
    """Whether its host is ours, and its processes can be seen from here."""
    if launcher.machine:
        return launcher.machine == this_machine()
    return launcher.host == host_name()


def ended_with_its_boot(launcher: Launcher) -> bool:
    """Whether its host, by the name, is ours, and has been started anew since.

    For what lies on a disk of this host alone: elsewhere hosts may share a name.
    """
    boots = [name.partition(OF_BOOT)[0] for name in (launcher.machine, this_machine())]
    return launcher.host == host_name() and all(boots) and boots[0] != boots[1]


def _is_there(launcher: Launcher) -> bool:
    try:
        process = psutil.Process(launcher.pid)
        same = abs(process.create_time() - launcher.began_s) < SAME_S
        return same and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, ValueError):
        return False
