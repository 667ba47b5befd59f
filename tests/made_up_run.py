"""Begins or resumes a run without pixels: ``python -m tests.made_up_run OUT [PHASE]``.

Everything is real but the workers, who make measurements up. It says when it is at
work; with a PHASE, when it has come so far. Ledger and catalogue are written often, so
that whoever kills it hits them.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import patch

from benchmarks.loadrun import begin, open_catalogue
from benchmarks.synthetic import Sky
from benchmarks.synthetic_engine import work
from trap_hpc.config import load
from trap_hpc.engines.base import Finished, Outcome
from trap_hpc.paths import RunPaths
from trap_hpc.pipeline.tasks import Task
from trap_hpc.run import driver
from trap_hpc.run.ledger import Ledger
from trap_hpc.run.plan import Plan
from trap_hpc.run.progress import Progress
from trap_hpc.run.tally import Tally

IMAGES, SOURCES, BATCH = 90, 12, 5
OFTEN_S = 0.05


class AtOnce:
    """An engine that does its tasks itself, the next one being any of eight."""

    name = "at once"
    workers = 4
    places = 4
    capacity = 8

    def __init__(self) -> None:
        self._tasks: list[Task] = []
        self._random = random.Random()

    def start(self) -> None:
        pass

    def submit(self, task: Task) -> None:
        self._tasks.append(task)

    def outcomes(self, timeout_s: float) -> Sequence[Outcome]:
        if not self._tasks:
            return []
        task = self._tasks.pop(self._random.randrange(len(self._tasks)))
        return [Finished(task=task, receipt=work(task, SOURCES))]

    def close(self) -> None:
        pass


class Teller:
    """Says once that the run is at work, or has come to a phase."""

    def __init__(self, phase: str) -> None:
        self._phase = phase

    def __call__(self, progress: Progress) -> None:
        if self._phase in ("", progress.phase):
            sys.stdout.write(f"{progress.phase}\n")
            sys.stdout.flush()
            self._phase = "never again"


def plan_of(out: Path) -> Plan:
    sky = Sky(SOURCES)
    return Plan(
        run_id="trap-madeup00",
        directory=out,
        images=tuple(sky.header(number).address for number in range(IMAGES)),
        parameters=load(None, [f"extraction_radius_pix={sky.radius_pix}"]),
        engine="at once",
        workers=4,
        batch_size=BATCH,
    )


def run(out: Path, phase: str = "") -> None:
    plan, paths = plan_of(out), RunPaths(out)
    if not paths.plan.exists():
        begin(plan, paths)
    ledger = Ledger(paths.ledger)
    ledger.note("session", str(int(ledger.fact("session", "0")) + 1))
    ledger.commit()
    often = patch.multiple(driver, COMMIT_S=OFTEN_S, CHECKPOINT_S=OFTEN_S)
    with often, open_catalogue(plan, paths) as catalogue:
        tally = Tally(Teller(phase))
        driver.Driver(plan, ledger, AtOnce(), catalogue, tally).run()
    ledger.close()


def main() -> None:
    run(Path(sys.argv[1]), *sys.argv[2:])


if __name__ == "__main__":
    main()
