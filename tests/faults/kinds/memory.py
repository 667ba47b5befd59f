"""Too little memory: the kernel kills in a job's group of processes."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from tests.cluster.memory import TREE
from tests.faults.fault import fault
from tests.faults.scene import Scene

LIMIT = "memory.limit_in_bytes"
STEP_BYTES, WANTED_BYTES = 2_000_000, 24_000_000
PATIENCE_S = 5.0
HOG = """
import os, sys
with open(sys.argv[1] + "/cgroup.procs", "w") as group:
    group.write(str(os.getpid()))
taken = bytearray(int(sys.argv[2]))
for position in range(0, len(taken), 4096):
    taken[position] = 1
"""
"""Takes memory that a group has not got."""


@fault(
    "out of memory",
    "a job's memory is used up: the kernel kills a process of it",
    gap_s=(3.0, 8.0),
)
def exhaust(scene: Scene) -> str:
    group = scene.pick(groups(scene))
    if group is None:
        return ""
    limit = group / LIMIT
    before, kills = limit.read_text(), killed(group)
    with suppress(OSError):  # the job has ended
        lower(group)
        use_up(group)
        limit.write_text(before)
    if killed(group) == kills:
        return ""
    return f"job on {group.relative_to(TREE / scene.slurm.name).parts[0]}"


def lower(group: Path) -> None:
    """Lower the limit to what is needed, libraries included."""
    needed = resident(group)
    for room in range(STEP_BYTES, 50 * STEP_BYTES, STEP_BYTES):
        with suppress(OSError):
            (group / LIMIT).write_text(str(needed + room))
            return


def use_up(group: Path) -> None:
    """Take more than there is, and let the kernel kill anybody but who takes it."""
    for pid in (group / "cgroup.procs").read_text().split():
        Path(f"/proc/{pid}/oom_score_adj").write_text("1000")
    argv = [sys.executable, "-I", "-S", "-c", HOG, str(group), str(WANTED_BYTES)]
    with suppress(subprocess.TimeoutExpired):
        subprocess.run(argv, stderr=subprocess.DEVNULL, timeout=PATIENCE_S, check=False)


def killed(group: Path) -> int:
    """Return how often the kernel has killed in a group; -1: it is gone."""
    try:
        words = (group / "memory.oom_control").read_text().split()
    except OSError:
        return -1
    return int(words[words.index("oom_kill") + 1])


def resident(group: Path) -> int:
    """Return what a group needs and can't give back."""
    words = (group / "memory.stat").read_text().split()
    return int(words[words.index("total_rss") + 1])


def groups(scene: Scene) -> list[Path]:
    """Return the groups in which workers are, one a job."""
    found = (TREE / scene.slurm.name).glob("n*/slurm_*/uid_*/job_*/step_batch/task_*")
    return [group for group in found if (group / "cgroup.procs").read_text()]
