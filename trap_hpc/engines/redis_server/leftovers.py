"""Removing the private broker of a run whose launcher and guard are dead."""

from __future__ import annotations

import contextlib
import os
import stat
import time
from pathlib import Path

import psutil

from trap_hpc.alive import Launcher, ended_with_its_boot, on_this_machine, still_runs
from trap_hpc.engines.redis_server.folder import (
    GuardOrder,
    ServerFolder,
    read_order,
    remove_credentials,
    remove_folder,
)
from trap_hpc.engines.redis_server.places import PREFIX, places
from trap_hpc.errors import BrokerError

PATIENCE_S = 5.0
"""For a process to end when it is asked to, and when it is killed."""
NEW_S = 600.0
"""A folder without orders may be one that is just being made."""


def remove_leftovers(path: Path) -> str:
    """End what runs in a broker's folder on this host, and remove it and credentials.

    Only for a run that is known to be dead. Return what was done, in words; empty if
    there was nothing to do.

    Raises
    ------
    BrokerError
        The folder is not a broker's of ours on this host, or something can't be ended.
    """
    if not os.path.lexists(path):
        return ""
    _check_ours(path)
    folder = ServerFolder(path)
    order = _order(folder)
    ended = [_end(pid_file, path) for pid_file in (folder.guard_id, folder.server_id)]
    if order is not None:
        remove_credentials(Path(order.credentials), epoch=order.epoch, port=order.port)
    remove_folder(folder)
    if os.path.lexists(path):
        raise BrokerError(f"{path} can't be removed: do it by hand")
    what = "a broker was ended, and" if any(ended) else "a broker was dead;"
    return f"{what} its folder {path} removed"


def remove_dead_folders() -> None:
    """Remove our brokers' folders on this host of which no process is left.

    Their runs were reaped from another host, or their launchers were killed before
    they could note where the folder is.
    """
    for place in dict.fromkeys(places()):
        for path in Path(place).glob(f"{PREFIX}*"):
            with contextlib.suppress(BrokerError, OSError):
                _check_ours(path)
                if _is_dead(ServerFolder(path)):
                    remove_leftovers(path)


def _is_dead(folder: ServerFolder) -> bool:
    order = _order(folder)
    if any(_process(file, folder.path) for file in (folder.guard_id, folder.server_id)):
        return False
    if order is None:
        return time.time() - folder.path.stat().st_mtime > NEW_S
    return _ended(order.launcher)


def _ended(launcher: Launcher) -> bool:
    return still_runs(launcher) is False or ended_with_its_boot(launcher)


def _check_ours(path: Path) -> None:
    """Make sure of the folder: names are written in a file, and used again."""
    found = path.lstat()
    ours = found.st_uid == os.getuid() and stat.S_ISDIR(found.st_mode)
    if not ours or not path.name.startswith(PREFIX) or found.st_mode & 0o077:
        raise BrokerError(f"{path} is not a broker's folder of yours: left as it is")


def _order(folder: ServerFolder) -> GuardOrder | None:
    """Read the guard's order; None if somebody was about to remove the folder."""
    try:
        order = read_order(folder)
    except BrokerError:
        return None
    if not (on_this_machine(order.launcher) or ended_with_its_boot(order.launcher)):
        host = order.launcher.host
        raise BrokerError(f"the broker of {folder.path} is on {host}: reap there")
    return order


def _process(pid_file: Path, folder: Path) -> psutil.Process | None:
    """Return a process if it is the one that was meant: ids are used again."""
    with contextlib.suppress(OSError, ValueError, psutil.Error):
        process = psutil.Process(int(pid_file.read_text()))
        ours = process.uids().real == os.getuid()
        if ours and process.cwd() == os.path.realpath(folder):
            return process
    return None


def _end(pid_file: Path, folder: Path) -> bool:
    """End a process, if it is there."""
    process = _process(pid_file, folder)
    if process is None:
        return False
    with contextlib.suppress(psutil.NoSuchProcess):
        process.terminate()
        if psutil.wait_procs([process], PATIENCE_S)[1]:
            process.kill()
        if psutil.wait_procs([process], PATIENCE_S)[1]:
            raise BrokerError(f"process {process.pid} of a dead run can't be killed")
    return True
