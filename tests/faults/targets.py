"""The processes of a run, on whichever host: what can be hit."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import psutil

from tests.cluster.hosts import Host
from tests.cluster.slurm import Slurm

WORKER = "trap_hpc.worker"


def processes(host: Host) -> Iterator[psutil.Process]:
    """Yield all processes of a host, as they are known outside."""
    if not host.pid:
        return
    try:
        own = os.readlink(f"/proc/{host.pid}/ns/pid")
    except OSError:
        return
    for process in psutil.process_iter():
        try:
            if os.readlink(f"/proc/{process.pid}/ns/pid") == own:
                yield process
        except OSError:
            continue


def command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def workers(slurm: Slurm) -> list[psutil.Process]:
    """Return the workers that have begun to work: they have forked."""
    found = [p for node in slurm.nodes for p in processes(node) if WORKER in command(p)]
    known = {process.pid for process in found}
    parents = {_parent(process) for process in found}
    return [p for p in found if p.pid in parents and _parent(p) not in known]


def pool_children(slurm: Slurm) -> list[psutil.Process]:
    """Return the processes that work on batches."""
    return [child for parent in workers(slurm) for child in _children(parent)]


def awake(found: Sequence[psutil.Process]) -> list[psutil.Process]:
    """Return those that nobody has stopped."""
    return [process for process in found if not _stopped(process)]


def _stopped(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_STOPPED)
    except psutil.Error:
        return True


def named(host: Host, name: str, user: int) -> list[psutil.Process]:
    """Return a user's processes whose program has this name."""
    found = []
    for process in processes(host):
        try:
            if process.name() == name and process.uids().real == user:
                found.append(process)
        except psutil.Error:
            continue
    return found


def _parent(process: psutil.Process) -> int:
    try:
        return int(process.ppid())
    except psutil.Error:
        return 0


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [child for child in process.children() if WORKER in command(child)]
    except psutil.Error:
        return []


def host_of(slurm: Slurm, process: psutil.Process) -> str:
    """Name the host of a process, for people."""
    try:
        own = os.readlink(f"/proc/{process.pid}/ns/pid")
        return next(
            host.name
            for host in slurm.hosts.values()
            if host.pid and os.readlink(f"/proc/{host.pid}/ns/pid") == own
        )
    except (OSError, StopIteration):
        return "?"
