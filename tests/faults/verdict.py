"""What is held against a run once it has ended, however much was broken meanwhile."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.processes import ClusterError, wait_until
from tests.cluster.slurm import Slurm
from tests.cluster.users import User
from tests.faults.scene import LEASE_S, Scene
from tests.faults.targets import command, processes
from tests.faults.watcher import Seen

GONE_WITHIN_S = LEASE_S + 20.0
"""Workers that were cut off end with their lease, the broker's guard just after it."""
COUNTED = ("image", "extractedsource", "assocxtrsource")


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The catalogue beside the serial one."""

    same: bool
    lost: int = 0
    """Rows that only the serial one has."""
    counted_twice: int = 0
    """Rows that only this one has."""
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """How often batches were sent and done."""

    batches: int
    """That were needed: their findings are in the catalogue."""
    again: int
    """Sendings of which nothing came, or that were beyond the first of a batch."""
    twice: int
    """Measurement files that were written and not needed."""
    doubled: int
    """Sendings that were done twice, which must not be."""


def compared(scene: Scene, one: Path | str, other: Path | str) -> Compared:
    said = scene.slurm.trap_hpc("compare", one, other, "--json")
    try:
        record = json.loads(said.out)
    except ValueError:
        return Compared(same=False, words=str(said))
    tables = [table for table in record["tables"] if table["table"] in COUNTED]
    wrong = [table for table in record["tables"] if table["first"] is not None]
    return Compared(
        same=bool(record["same"]),
        lost=sum(table["only_a"] for table in tables),
        counted_twice=sum(table["only_b"] for table in tables),
        words=json.dumps(wrong) if wrong else "",
    )


def executed(scene: Scene, seen: Seen) -> Executed:
    """Count by the ledger and by the files."""
    query = "SELECT count(*), count(file), coalesce(sum(attempts - 1), 0) FROM batch"
    ((sent, batches, again),) = scene.ask_ledger(query)
    return Executed(
        batches=batches,
        again=again + sent - batches,
        twice=max(len(seen.done) - batches, 0),
        doubled=len(seen.doubled),
    )


def left_behind(scene: Scene) -> list[str]:
    """Return what is still there when there should be nothing any more."""
    found: list[str] = []

    def nothing() -> bool:
        found[:] = _left(scene)
        return not found

    with suppress(ClusterError):
        wait_until(nothing, "nothing is left", GONE_WITHIN_S, step_s=0.5)
    return found


def _left(scene: Scene) -> list[str]:
    slurm, paths = scene.slurm, scene.paths
    left = [f"job {line}" for line in slurm.squeue()]
    left += [str(path) for path in (paths.broker, paths.lease) if path.exists()]
    for check in scene.checks:
        left += check()
    left += [str(path) for path in temporary_files(slurm, slurm.user)]
    return left + processes_left(slurm)


def processes_left(slurm: Slurm) -> list[str]:
    return [
        f"process {process.pid} on {host.name}: {command(process)}"
        for host in slurm.hosts.values()
        for process in processes(host)
        if process.is_running() and process.uids().real == slurm.user.uid
    ]


def temporary_files(slurm: Slurm, *users: User) -> list[Path]:
    """Return what users have in the hosts' own temporary folders."""
    return [
        path
        for host in slurm.hosts.values()
        for folder in ("/tmp", "/dev/shm")
        for path in host.path(folder).iterdir()
        if path.lstat().st_uid in [user.uid for user in users]
    ]
