"""A cluster by hand: ``python -m tests.cluster up|down|status|shell``, as root."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from tests.cluster.hosts import Host
from tests.cluster.processes import ClusterError, wait_until
from tests.cluster.shape import Shape
from tests.cluster.slurm import Slurm
from tests.cluster.up import (
    FOLDERS,
    PREFIX,
    bring_up,
    make_folder,
    remove_dead,
    start_keeper,
    what_is_missing,
)
from tests.cluster.users import users_of

RECORD = "by-hand.json"
WELCOME = """\
A Slurm with {nodes} nodes of {cpus} CPUs is up. To its login host, as an ordinary user:

    sudo {python} -m tests.cluster shell

There, for example:

    sinfo
    trap-hpc simulate sky
    trap-hpc run sky --site ~/test-slurm.toml --workers 6

To end it: make cluster-down
"""


def up(nodes: int, cpus: int) -> None:
    """Bring a cluster up that stays."""
    if found := records():
        raise ClusterError(f"{found[0].parent.name} is up: make cluster-down first")
    shape = Shape(nodes=nodes, cpus=cpus)
    folder, lock = make_folder(shape)
    keeper = start_keeper(folder, lock, waits=False)
    try:
        keeper.ready()
        slurm = Slurm(folder, shape, users_of(folder))
        bring_up(slurm, keeper.pid)
        slurm.site()
        pids = {name: host.pid for name, host in slurm.hosts.items()}
        record = {"nodes": nodes, "cpus": cpus, "keeper": keeper.pid, "pids": pids}
        (folder / RECORD).write_text(json.dumps(record))
    except BaseException:
        keeper.end()
        shutil.rmtree(folder, ignore_errors=True)
        raise
    print(WELCOME.format(nodes=nodes, cpus=cpus, python=sys.executable))


def records() -> list[Path]:
    """Find the clusters that were brought up by hand and are alive."""
    remove_dead()
    return sorted(FOLDERS.glob(f"{PREFIX}*/{RECORD}"))


def attached() -> Slurm:
    """Return the cluster that was brought up by hand."""
    found = records()
    if not found:
        raise ClusterError("no cluster is up: make cluster")
    record = json.loads(found[-1].read_text())
    folder = found[-1].parent
    shape = Shape(nodes=record["nodes"], cpus=record["cpus"])
    slurm = Slurm(folder, shape, users_of(folder))
    for name, pid in record["pids"].items():
        host = Host(name, keeper=record["keeper"], conf=slurm.conf, covers=())
        host.pid = pid
        slurm.hosts[name] = host
    return slurm


def down() -> None:
    """End all clusters that were brought up by hand."""
    for record in records():
        with contextlib.suppress(ProcessLookupError):
            os.kill(json.loads(record.read_text())["keeper"], signal.SIGTERM)
        wait_until(partial(_is_gone, record.parent), f"{record.parent} is gone")
        print(f"{record.parent.name} is down")


def _is_gone(folder: Path) -> bool:
    return not folder.exists()


def status() -> None:
    slurm = attached()
    print(f"{slurm.name} in {slurm.folder}, user {slurm.user.name}")
    for command in (["sinfo", "-N", "-l", "-p", "main"], ["squeue", "-r"]):
        print(slurm.hosts["login"].run(command).out)


def shell(host: str, words: Sequence[str]) -> None:
    """Go there as the user: a shell, or one command."""
    slurm = attached()
    if host not in slurm.hosts:
        raise ClusterError(f"there is no {host}, but {', '.join(slurm.hosts)}")
    terminal = {"TERM": os.environ.get("TERM", "dumb"), "PS1": r"\u@\h:\w\$ "}
    argv = list(words) or ["bash", "--norc"]
    command = slurm.hosts[host].command(argv, slurm.user, terminal)
    os.execvp(command[0], command)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.cluster")
    commands = parser.add_subparsers(dest="command", required=True)
    bring = commands.add_parser("up", help="bring a cluster up that stays")
    bring.add_argument("--nodes", type=int, default=3)
    bring.add_argument("--cpus", type=int, default=2, help="of each node")
    commands.add_parser("down", help="end it")
    commands.add_parser("status", help="show its nodes and jobs")
    enter = commands.add_parser("shell", help="go there as an ordinary user")
    enter.add_argument("--host", default="login", help="login, login2, n1, ...")
    enter.add_argument(
        "words", nargs=argparse.REMAINDER, help="a command in the place of a shell"
    )
    said = parser.parse_args()
    if missing := what_is_missing():
        sys.exit(missing)
    try:
        if said.command == "up":
            up(said.nodes, said.cpus)
        elif said.command == "shell":
            shell(said.host, said.words)
        else:
            {"down": down, "status": status}[said.command]()
    except ClusterError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
