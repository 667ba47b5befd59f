"""A long run without pixels in a process of its own; says how its driver did.

``python -m benchmarks.longrun OUT IMAGES SOURCES MARK...``: driver, ledger and
catalogue are the real ones. One line of JSON at the start, whenever as many images as a
mark says are in the catalogue, before its closing, and at the end.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from benchmarks.synthetic import Sky
from benchmarks.synthetic_engine import SyntheticEngine
from trap_hpc.catalogue.store import Catalogue
from trap_hpc.config import dump, load
from trap_hpc.paths import RunPaths
from trap_hpc.run.driver import Driver
from trap_hpc.run.ledger import Ledger
from trap_hpc.run.plan import Plan
from trap_hpc.run.planfile import write_plan
from trap_hpc.run.progress import Progress
from trap_hpc.run.tally import Tally

BATCH = 100
"""As with real images; made-up ones take no time, and their batches would be huge."""


class Reporter:
    """Watches the run and prints where it is."""

    def __init__(
        self, marks: list[int], more: Mapping[str, float] = MappingProxyType({})
    ) -> None:
        """``more`` is told besides, as it is at the time."""
        self._marks = marks
        self._more = more
        self._phase = ""

    def __call__(self, progress: Progress) -> None:
        passed = [mark for mark in self._marks if mark <= progress.associated]
        self._marks = self._marks[len(passed) :]
        closing = progress.phase == "finishing" != self._phase
        self._phase = progress.phase
        if passed or closing:
            phase = "finishing" if closing else "running"
            report(phase, progress.associated, **self._more)


def report(phase: str, images: int, **more: float) -> None:
    record = {
        "phase": phase,
        "images": images,
        "wall_s": time.monotonic(),
        "cpu_s": time.process_time(),
        "now_mb": _resident_mb(),
        "peak_mb": _peak_mb(),
        **more,
    }
    print(json.dumps(record), flush=True)


def _resident_mb() -> float:
    return _of_system("VmRSS") or _peak_mb()


def _peak_mb() -> float:
    # Linux hands a parent's ru_maxrss down to the programs that it starts.
    if peak_mb := _of_system("VmHWM"):
        return peak_mb
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def _of_system(name: str) -> float | None:
    """Look up a quantity of /proc in MB; None where there is no such thing."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next(int(ln.split()[1]) / 1024 for ln in lines if ln.startswith(name))


def main() -> None:
    out, *numbers = sys.argv[1:]
    images, sources, *marks = map(int, numbers)
    sky = Sky(sources)
    plan = Plan(
        run_id="trap-synthetic",
        directory=Path(out),
        images=tuple(sky.header(number).address for number in range(images)),
        parameters=load(None, [f"extraction_radius_pix={sky.radius_pix}"]),
        engine="synthetic",
        workers=1,
        batch_size=BATCH,
    )
    report("start", 0)
    _run(plan, sources, Reporter(marks))
    report("end", images)


def _run(plan: Plan, sources: int, watch: Reporter) -> None:
    paths = RunPaths(plan.directory)
    paths.make()
    write_plan(plan, dump(plan.parameters))
    ledger = Ledger(paths.ledger, create=True)
    ledger.add_paths(plan.images)
    engine = SyntheticEngine(sources)
    engine.start()
    parameters = plan.parameters.parameters
    with Catalogue.create(
        paths.catalogue, parameters=parameters, run_id=plan.run_id
    ) as catalogue:
        Driver(plan, ledger, engine, catalogue, Tally(watch)).run()
    engine.close()
    ledger.close()


if __name__ == "__main__":
    main()
