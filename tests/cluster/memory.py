"""Limits of memory that the kernel holds jobs to, where the system can.

Slurm makes a group of processes for each job, and the kernel kills in it when it grows
too large. The groups of all hosts are in one tree on this machine: each host gets a
branch of its own, and sees nothing but that.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from tests.cluster.processes import wait_until

TREE = Path("/sys/fs/cgroup/memory")
CONF = "CgroupPlugin=cgroup/v1\nConstrainRAMSpace=yes\n"


def can_be_limited() -> bool:
    """Whether there is a tree of the kind that Slurm 22.05 can use, and it is ours."""
    return (TREE / "memory.limit_in_bytes").exists() and os.access(TREE, os.W_OK)


def branch(cluster: str, host: str) -> tuple[str, str]:
    """Make a host's branch; return what is to be shown where."""
    made = TREE / cluster / host
    made.mkdir(parents=True, exist_ok=True)
    return str(made), str(TREE)


def remove_tree(cluster: str) -> None:
    """Remove the groups of a cluster that has ended."""
    wait_until(lambda: _is_gone(TREE / cluster), f"{cluster} has no groups left")


def remove_dead_trees(folders: Path, prefix: str) -> None:
    """Remove the groups of clusters that were killed: their folder went before."""
    for tree in TREE.glob(f"{prefix}*"):
        if not (folders / tree.name).exists():
            _is_gone(tree)


def _is_gone(tree: Path) -> bool:
    """Remove what has no processes: those that were killed may need a moment."""
    for folder, _, _ in os.walk(tree, topdown=False):
        with suppress(OSError):
            Path(folder).rmdir()
    return not tree.exists()
