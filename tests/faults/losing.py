"""A serial run in which some images can be measured, and not read a second time.

``python -m tests.faults.losing IMAGES OUT NAME...``: what a run is held against whose
images vanished.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from trap_hpc.config.environment import cap_threads

cap_threads()  # before numpy is imported by any of these

from tests.faults.lab import FAINT  # noqa: E402
from trap_hpc.config.parameters import JobParameters  # noqa: E402
from trap_hpc.errors import ImageError  # noqa: E402
from trap_hpc.pipeline import tasks  # noqa: E402
from trap_hpc.pipeline.measurements import Finding  # noqa: E402
from trap_hpc.run.launch import start  # noqa: E402
from trap_hpc.run.plan import make_plan  # noqa: E402


def main(images: str, out: str, *names: str) -> None:
    force = tasks.STEPS["force"]

    def forced(item: tasks.Item, parameters: JobParameters) -> Iterator[Finding]:
        if Path(item.address).name in names:
            raise ImageError("it has vanished")
        yield from force(item, parameters)

    tasks.STEPS["force"] = forced
    overrides = [f"{name}={value}" for name, value in FAINT.items()]
    start(make_plan([images], out=Path(out), overrides=overrides, engine="serial"))


if __name__ == "__main__":
    main(*sys.argv[1:])
