"""A run with a thousand made-up workers, in a process of its own.

``python -m benchmarks.loadrun OUT IMAGES SOURCES WORKERS BATCH MARK...``, with BATCH 0
for what the run itself finds right. What is in OUT already is resumed. Driver, books,
ledger, catalogue and status file are the real ones. One line of JSON at the start, with
the first task that is sent, at each mark, before the closing and at the end.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from benchmarks.fleet_engine import FleetEngine
from benchmarks.longrun import Reporter, report
from benchmarks.synthetic import Sky
from trap_hpc.catalogue.store import Catalogue
from trap_hpc.config import dump, load
from trap_hpc.paths import RunPaths
from trap_hpc.pipeline.tasks import Task
from trap_hpc.run.driver import Driver
from trap_hpc.run.ledger import Ledger
from trap_hpc.run.plan import Plan
from trap_hpc.run.planfile import write_plan
from trap_hpc.run.progress import Progress
from trap_hpc.run.status import also_to_file
from trap_hpc.run.tally import Tally, Watch

PARTS = {
    "ledger": ("sent", "finished", "measured", "forced", "scanned", "find", "commit"),
    "catalogue": ("add_step", "checkpoint"),
}
"""What is timed."""


class Stopwatch:
    """Adds up seconds by what they were spent on."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def follow(self, thing: Any, name: str) -> None:
        """From now on time what ``thing`` does."""
        for method in PARTS[name]:
            setattr(thing, method, self.timed(getattr(thing, method), f"{name}_s"))

    def timed(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        self.seconds[name] = 0.0

        @wraps(function)
        def call(*args: Any, **named: Any) -> Any:
            began_s = time.perf_counter()
            try:
                return function(*args, **named)
            finally:
                self.seconds[name] += time.perf_counter() - began_s

        return call


class FirstTask:
    """Reports when the first task is sent."""

    def __init__(self, engine: FleetEngine) -> None:
        self._submit = engine.submit
        self._engine = engine
        engine.submit = self._first  # type: ignore[method-assign]

    def _first(self, task: Task) -> None:
        self._engine.submit = self._submit  # type: ignore[method-assign]
        report("at work", 0)
        self._submit(task)


def plan_of(out: Path, images: int, sky: Sky, workers: int, batch: int) -> Plan:
    return Plan(
        run_id="trap-load0000",
        directory=out,
        images=tuple(sky.header(number).address for number in range(images)),
        parameters=load(None, [f"extraction_radius_pix={sky.radius_pix}"]),
        engine="fleet",
        workers=workers,
        batch_size=batch or None,
    )


def main() -> None:
    out, *numbers = sys.argv[1:]
    images, sources, workers, batch, *marks = map(int, numbers)
    plan = plan_of(Path(out), images, Sky(sources), workers, batch)
    watch = Stopwatch()
    engine = FleetEngine(workers, sources)
    engine.start()
    FirstTask(engine)
    report("start", 0)
    go_on(plan, engine, Reporter(marks, watch.seconds), watch)
    report("end", images, lost=engine.lost, **watch.seconds)
    engine.close()


def go_on(plan: Plan, engine: FleetEngine, tell: Watch, watch: Stopwatch) -> None:
    """Begin the run, or resume it."""
    paths = RunPaths(plan.directory)
    if not paths.plan.exists():
        begin(plan, paths)
    ledger = Ledger(paths.ledger)
    ledger.note("session", str(int(ledger.fact("session", "0")) + 1))
    with open_catalogue(plan, paths) as catalogue:
        watch.follow(ledger, "ledger")
        watch.follow(catalogue, "catalogue")
        to_file = watch.timed(also_to_file(lambda _: None, paths.status), "status_s")
        tally = Tally(_both(tell, to_file))
        Driver(plan, ledger, engine, catalogue, tally).run()
        tally.finished()
    ledger.close()


def begin(plan: Plan, paths: RunPaths) -> None:
    paths.make()
    ledger = Ledger(paths.ledger, create=True)
    ledger.add_paths(plan.images)
    ledger.commit()
    ledger.close()
    write_plan(plan, dump(plan.parameters))


def open_catalogue(plan: Plan, paths: RunPaths) -> Catalogue:
    if paths.catalogue.exists():
        return Catalogue.open(paths.catalogue)
    parameters = plan.parameters.parameters
    return Catalogue.create(paths.catalogue, parameters=parameters, run_id=plan.run_id)


def _both(one: Watch, other: Watch) -> Watch:
    def watch(progress: Progress) -> None:
        one(progress)
        other(progress)

    return watch


if __name__ == "__main__":
    main()
