"""Clocks that are wrong."""

from __future__ import annotations

from pathlib import Path

from tests.cluster.launches import fresh
from tests.faults.fault import fault
from tests.faults.scene import Scene

HOUR_S = 3600
LIBRARY = "faketime/libfaketimeMT.so.1"


def library() -> Path | None:
    return next(Path("/usr/lib").glob(f"*/{LIBRARY}"), None)


def what_is_missing() -> str:
    return "" if library() else "apt-get install libfaketime"


def clocks(scene: Scene) -> None:
    """Let jobs take the time from a file of their node's, off by so many seconds."""
    folder = fresh(scene.slurm, "clocks")
    folder.mkdir()
    folder.chmod(0o755)
    for node in scene.slurm.nodes:
        set_clock(folder / node.name, 0)
    scene.site["job_script_prologue"] = [
        f"export FAKETIME_TIMESTAMP_FILE={folder}/$(hostname)",
        "export FAKETIME_CACHE_DURATION=1 FAKETIME_DONT_FAKE_MONOTONIC=1",
        f"export LD_PRELOAD={library()}",
    ]
    scene.folders["clocks"] = folder


def set_clock(path: Path, off_s: int) -> None:
    path.write_text(f"{off_s:+d}\n")
    path.chmod(0o644)


@fault(
    "clock wrong",
    "the clock of a node jumps by an hour, or is right again",
    needs=(clocks,),
    gap_s=(0.8, 2.0),
    missing=what_is_missing,
)
def jump(scene: Scene) -> str:
    node = scene.chance.choice(scene.slurm.nodes).name
    path = scene.folders["clocks"] / node
    now_s = int(path.read_text())
    off_s = scene.chance.choice([s for s in (-HOUR_S, 0, HOUR_S) if s != now_s])
    set_clock(path, off_s)
    return f"{node} by {off_s:+d} s"
