"""Faults of the processes that work on batches."""

from __future__ import annotations

import signal
import time

from tests.faults.fault import fault
from tests.faults.kinds.images import LIMIT_S, impatient
from tests.faults.scene import Scene
from tests.faults.targets import awake, pool_children

AT_ONCE, AT_ONCE_S = 3, 1.5
TRIED_AGAIN_S = 6.0


@fault(
    "process killed",
    "SIGKILL of a worker's process that works on batches",
    gap_s=(0.8, 2.0),
)
def kill(scene: Scene) -> str:
    return scene.send(scene.pick(pool_children(scene.slurm)), signal.SIGKILL)


@fault(
    "process suspended",
    "SIGSTOP of such a process, SIGCONT after 1-8 s",
    gap_s=(0.8, 2.0),
)
def suspend(scene: Scene) -> str:
    process = scene.pick(awake(pool_children(scene.slurm)))
    said = scene.send(process, signal.SIGSTOP)
    if said:
        scene.later(
            scene.chance.uniform(1, 8), lambda: scene.send(process, signal.SIGCONT)
        )
    return said


@fault(
    "process hangs",
    f"SIGSTOP of such a process for ever; `time-limit-s` is {LIMIT_S:g}",
    needs=(impatient,),
    gap_s=(0.1, 0.5),
)
def stop(scene: Scene) -> str:
    """Stop a few at a time: an image that is tried again must not be hit once more."""
    now_s = time.monotonic()
    over_s = now_s - float(str(scene.site["time_limit_s"])) - TRIED_AGAIN_S
    recent = [at_s for at_s in scene.times["stopped"] if at_s > over_s]
    if recent and (now_s - recent[0] > AT_ONCE_S or len(recent) == AT_ONCE):
        return ""
    said = scene.send(scene.pick(awake(pool_children(scene.slurm))), signal.SIGSTOP)
    scene.times["stopped"] = [*recent, now_s] if said else recent
    return said
