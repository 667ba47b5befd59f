"""The first process of a cluster, and of each of its hosts.

A cluster lives in namespaces of its own: processes, mounts, networks, host names. The
kernel ends everything in them when this process ends, and that happens as soon as the
test that wanted the cluster is gone, however it died: our standard input closes. It is
a program, not a module: it must run with the standard library alone, for what it
covers may hold everything else.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shutil
import signal
import socket
import sys
from typing import Any

MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC = 1, 32, 4096, 16384
MNT_DETACH = 2
EVERYBODY = -1

_libc = ctypes.CDLL(None, use_errno=True)


def mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    words = (source.encode(), target.encode(), kind.encode())
    if _libc.mount(*words, ctypes.c_ulong(flags), data.encode()) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"mount on {target}: {os.strerror(error)}")


def bind(source: str, target: str, *, writable: bool = True) -> None:
    mount(source, target, "", MS_BIND | MS_REC)
    if not writable:
        mount("", target, "", MS_REMOUNT | MS_BIND | MS_RDONLY)


def cover(folder: str, mode: str, kept: list[str], *, writable: bool) -> None:
    """Put an empty folder in the place of ``folder``, but keep some of its content."""
    held = {path: os.open(path, os.O_PATH) for path in kept if os.path.exists(path)}
    mount("tmpfs", folder, "tmpfs", 0, f"mode={mode}")
    for path, descriptor in held.items():
        source = f"/proc/self/fd/{descriptor}"
        if os.path.isdir(source):
            os.makedirs(path, exist_ok=True)
        else:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            os.close(os.open(path, os.O_CREAT, 0o644))
        bind(source, path, writable=writable)
        os.close(descriptor)


def prepare(task: dict[str, Any]) -> None:
    os.umask(0o022)
    for each in task["covers"]:
        cover(each["folder"], each["mode"], each["kept"], writable=each["writable"])
    for source, target in task["binds"]:
        bind(source, target)
    for folder, data in task["disks"]:
        mount("tmpfs", folder, "tmpfs", 0, data)
    if task["hostname"]:
        socket.sethostname(task["hostname"])


def end(folder: str, disks: list[tuple[str, str]]) -> None:
    """End all others, then leave nothing of the cluster's own files."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(EVERYBODY, signal.SIGKILL)
    for disk, _ in disks:
        _libc.umount2(disk.encode(), MNT_DETACH)
    if folder:
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


def main() -> None:
    task = json.loads(sys.argv[1])
    prepare(task)
    # Whoever loses its parent becomes our child: nobody asks how it ended.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: end(task["removes"], task["disks"]))
    os.write(1, b"ready\n")
    if task["waits"]:
        sys.stdin.buffer.read()
        end(task["removes"], task["disks"])
    while True:
        signal.pause()


if __name__ == "__main__":
    main()
