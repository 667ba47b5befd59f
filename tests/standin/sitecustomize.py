"""First on a worker's PYTHONPATH: tasks that take the time that their names say.

``sleep-1.5-NAME`` sleeps, ``die-NAME`` kills its process, others are real tasks. Each
execution adds a line to the file ``executed`` of the run directory.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path


def stand_in() -> None:
    from trap_hpc.pipeline import tasks

    real = tasks.work

    def work(task: tasks.Task, *, strict: bool = False) -> tasks.Receipt:
        line = f"{task.batch} {task.attempt} {os.getpid()}\n"
        with (Path(task.run) / "executed").open("a") as stream:
            stream.write(line)
        kind, _, rest = task.batch.partition("-")
        if kind == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if kind != "sleep":
            return real(task, strict=strict)
        time.sleep(float(rest.partition("-")[0]))
        return tasks.Receipt(file="none", checksum="", items=0, seconds=0.0)

    tasks.work = work


if "trap_hpc.worker" in sys.orig_argv:
    stand_in()
