"""Removing the private broker of a run whose launcher and guard are dead."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
from pathlib import Path

import psutil

from trap_hpc.engines.redis_server.folder import (
    ServerFolder,
    read_order,
    remove_credentials,
    remove_folder,
)
from trap_hpc.errors import BrokerError

PATIENCE_S = 5.0


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
    folder = ServerFolder(path)
    _check_ours(path)
    order = read_order(folder)
    if order.host != socket.gethostname():
        raise BrokerError(
            f"the broker of {path} is on {order.host}: reap the run there"
        )
    ended = [_end(pid_file, path) for pid_file in (folder.guard_id, folder.server_id)]
    remove_credentials(Path(order.credentials), epoch=order.epoch, port=order.port)
    remove_folder(folder)
    if path.exists():
        raise BrokerError(f"{path} can't be removed; do it by hand")
    what = "the broker was ended, and" if any(ended) else "the broker was dead;"
    return f"{what} its folder {path} removed"


def _check_ours(path: Path) -> None:
    found = path.lstat()
    if found.st_uid != os.getuid() or not stat.S_ISDIR(found.st_mode):
        raise BrokerError(f"{path} is not a folder of yours: left as it is")


def _end(pid_file: Path, folder: Path) -> bool:
    """End a process if it is the one that was meant: ids are used again."""
    try:
        process = psutil.Process(int(pid_file.read_text()))
        if process.uids().real != os.getuid() or process.cwd() != str(folder):
            return False
    except (OSError, ValueError, psutil.Error):
        return False
    with contextlib.suppress(psutil.NoSuchProcess):
        process.terminate()
        if psutil.wait_procs([process], PATIENCE_S)[1]:
            process.kill()
        if psutil.wait_procs([process], PATIENCE_S)[1]:
            raise BrokerError(f"process {process.pid} of a dead run can't be killed")
    return True
