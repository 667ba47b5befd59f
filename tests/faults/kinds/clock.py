"""Clocks that are wrong."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.cluster.launches import fresh
from tests.faults.fault import Hit, fault
from tests.faults.scene import Scene

SOURCE = Path(__file__).parents[1] / "clock.c"
OFF_S = (-3600, 3600)


def what_is_missing() -> str:
    return "" if shutil.which("cc") else "apt-get install gcc libc6-dev"


def clocks(scene: Scene) -> None:
    """Let each node's clock be off, for jobs from their first line on."""
    library = fresh(scene.slurm, "clock").with_suffix(".so")
    command = ["cc", "-shared", "-fPIC", "-O2", "-o", str(library), str(SOURCE)]
    subprocess.run(command, check=True)
    library.chmod(0o755)
    off_s = {node.name: scene.chance.choice(OFF_S) for node in scene.slurm.nodes}
    cases = " ".join(f"{node}) CLOCK_OFF_S={s};;" for node, s in off_s.items())
    scene.site["job_script_prologue"] = [
        f'case "$(hostname)" in {cases} esac',
        f'[ -n "$LD_PRELOAD" ] || {{ export CLOCK_OFF_S LD_PRELOAD={library}',
        'exec bash "$0" "$@"; }',
    ]
    scene.wrong_clocks = [f"{node} by {s:+d} s" for node, s in off_s.items()]


def few_images(scene: Scene) -> None:
    """Let a run be short: each of them counts for some nodes alone."""
    scene.images = [scene.lab.slow / scene.lab.few.name]
    scene.reference = lambda: scene.lab.without_fits([])


@fault(
    "clock wrong",
    "the clock of a node is an hour fast or slow",
    needs=(clocks, few_images),
    gap_s=(0.0, 0.5),
    missing=what_is_missing,
)
def wrong(scene: Scene) -> Hit | str:
    """Tell of one that has been wrong from the start."""
    if not scene.wrong_clocks:
        return ""
    words = scene.wrong_clocks.pop()
    return Hit(words=words, struck=lambda: 0.0, recovered=lambda: None)
