"""One run in a process of its own, on chosen cores; says what its driver cost.

``python -m benchmarks.onerun @LIST OUT ENGINE RADIUS CORE...``: the serial engine works
on the first of the cores, of the processes engine one worker on each.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from trap_hpc.run.launch import start
from trap_hpc.run.plan import make_plan


def main() -> None:
    images, out, engine, radius, *cores = sys.argv[1:]
    pinned = [int(core) for core in cores]
    if engine == "serial" and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, pinned[:1])
    plan = make_plan(
        [images],
        out=Path(out),
        overrides=[f"extraction_radius_pix={radius}"],
        engine=engine,
        workers=len(pinned),
        pinned_cores=pinned if engine == "processes" else (),
    )
    summary = start(plan)
    record = {
        "images": summary.images,
        "unusable": len(summary.refusals),
        "cpu_s": time.process_time(),
    }
    print(json.dumps(record))


if __name__ == "__main__":
    main()
