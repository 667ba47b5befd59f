"""Bringing a cluster up, and down: nothing of it stays, however it ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.cluster.disks import NAME, SIZE_MB
from tests.cluster.hosts import PATH, Host, make_switch
from tests.cluster.memory import (
    CONF,
    branch,
    remove_dead_trees,
    remove_tree,
)
from tests.cluster.processes import NAMESPACES, First
from tests.cluster.shape import (
    JOB_SUBMIT,
    LOGIN_HOSTS,
    Shape,
    conf_path,
    hosts_file,
    slurm_conf,
)
from tests.cluster.slurm import Slurm
from tests.cluster.users import make_users, users_of
from tests.cluster.view import covers_for, needed, own_temporary_folder

FOLDERS = Path("/var/tmp")
PREFIX = "trap-slurm-"
PROGRAMS = ("slurmctld", "slurmd", "sbatch", "ip", "nsenter", "unshare", "setpriv")


def what_is_missing() -> str:
    """Say why there can't be a cluster here, and what to do; empty: there can."""
    if not sys.platform.startswith("linux"):
        return "a cluster needs Linux"
    if os.geteuid() != 0:
        return "a cluster needs root: use sudo"
    lacks = [name for name in PROGRAMS if shutil.which(name, path=PATH) is None]
    if lacks:
        packages = "apt-get install slurm-wlm iproute2 util-linux"
        return f"{', '.join(lacks)} can't be found: {packages}"
    tried = subprocess.run(
        ["unshare", "--fork", *NAMESPACES, "--mount-proc", "true"],
        capture_output=True,
        text=True,
        check=False,
    )
    return f"no namespaces can be made: {tried.stderr}" if tried.returncode else ""


@contextlib.contextmanager
def cluster(nodes: int = 3, cpus: int = 2, **settings: str) -> Iterator[Slurm]:
    """Bring a Slurm up, and take it down whatever happens.

    ``settings`` of slurm.conf are beside ours, or in their place.
    """
    with cluster_of(Shape(nodes=nodes, cpus=cpus, settings=settings)) as slurm:
        yield slurm


@contextlib.contextmanager
def cluster_of(
    shape: Shape, before: Callable[[Slurm, int], None] = lambda *_: None
) -> Iterator[Slurm]:
    """Bring up a cluster of any shape.

    ``before`` is called before there are hosts, with the id of the process whose file
    systems they will have.
    """
    folder, lock = make_folder(shape)
    try:
        keeper = start_keeper(folder, lock, waits=True)
        slurm = Slurm(folder, shape, users_of(folder))
        try:
            keeper.ready()
            before(slurm, keeper.pid)
            bring_up(slurm, keeper.pid)
            yield slurm
        finally:
            slurm.end_commands()
            for host in slurm.hosts.values():
                host.end()
            keeper.end()
    finally:
        os.close(lock)
        shutil.rmtree(folder, ignore_errors=True)
        remove_tree(folder.name)


def make_folder(shape: Shape) -> tuple[Path, int]:
    """Make the cluster's folder and files; whoever holds its lock is alive."""
    remove_dead()
    # It gets its name once it is locked: `remove_dead` must not find it before.
    hidden = Path(tempfile.mkdtemp(prefix=f".{PREFIX}", dir=FOLDERS))
    hidden.chmod(0o755)
    lock = os.open(hidden / "lock", os.O_CREAT | os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    folder = hidden.rename(FOLDERS / hidden.name.removeprefix("."))
    (folder / "hosts").write_text(hosts_file(shape))
    (folder / "state").mkdir()
    (folder / NAME).mkdir()
    (folder / "job_submit.lua").write_text(JOB_SUBMIT)
    conf_path(folder).write_text(slurm_conf(folder.name, folder, shape))
    if shape.limits_memory:
        (folder / "cgroup.conf").write_text(CONF)
    make_users(folder, users_of(folder))
    return folder, lock


def remove_dead() -> None:
    """Remove the folders of clusters whose keeper was killed: all else went with it."""
    for folder in FOLDERS.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            lock = os.open(folder / "lock", os.O_RDWR)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
                remove_tree(folder.name)
            finally:
                os.close(lock)
    remove_dead_trees(FOLDERS, PREFIX)


def start_keeper(folder: Path, lock: int, *, waits: bool) -> First:
    """Start the cluster's first process; ``waits``: it ends when we do."""
    files = ("passwd", "group", "hosts")
    return First(
        within=None,
        covers=covers_for(users_of(folder), needed()),
        binds=[(str(folder / name), f"/etc/{name}") for name in files],
        disks=[(str(folder / NAME), f"size={SIZE_MB}m,mode=1777")],
        hostname="switch",
        removes=str(folder),
        waits=waits,
        keeps=[lock],
    )


def bring_up(slurm: Slurm, keeper: int) -> None:
    """Switch the hosts on and start Slurm's daemons."""
    make_switch(keeper)
    covers = own_temporary_folder(needed())
    for name in (*LOGIN_HOSTS, *slurm.shape.node_names):
        branches = [branch(slurm.name, name)] if slurm.shape.limits_memory else []
        host = Host(name, keeper=keeper, conf=slurm.conf, covers=covers, binds=branches)
        slurm.hosts[name] = host
        host.begin()
    for host in slurm.hosts.values():
        host.finish()
    slurm.hosts["login"].run(["slurmctld", "-f", slurm.conf])
    for node in slurm.nodes:
        node.run(["slurmd", "-f", slurm.conf])
    slurm.wait_idle()
