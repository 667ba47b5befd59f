"""An engine whose tasks end as a test says, and what a dispatcher makes of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from trap_hpc.engines.base import Died, Finished, Outcome
from trap_hpc.paths import RunPaths
from trap_hpc.pipeline.measurements import save
from trap_hpc.pipeline.records import Refusal
from trap_hpc.pipeline.tasks import Batch, Item, Receipt, Task, read_batch
from trap_hpc.run.batches import Dispatcher
from trap_hpc.run.ledger import Ledger
from trap_hpc.run.pace import Pace
from trap_hpc.run.sendings import Work

Fate = Callable[[Task, Batch], Outcome | None]


class ScriptedEngine:
    """An engine whose tasks end as the test says; by default they finish."""

    name = "scripted"
    workers = 2
    places = 2
    capacity = 4

    def __init__(self, fate: Fate) -> None:
        self.fate = fate
        self.sent: list[Task] = []
        self.executed: Counter[str] = Counter()

    def start(self) -> None: ...

    def close(self) -> None: ...

    def submit(self, task: Task) -> None:
        self.sent.append(task)

    def outcomes(self, timeout_s: float) -> Sequence[Outcome]:
        tasks, self.sent = self.sent, []
        return [self._outcome(task) for task in tasks]

    def _outcome(self, task: Task) -> Outcome:
        batch = read_batch(Path(task.run) / "batches", task.batch)
        outcome = self.fate(task, batch)
        return outcome or self._finished(task, batch)

    def _finished(self, task: Task, batch: Batch) -> Finished:
        addresses = [item.address for item in batch.items]
        self.executed.update(addresses)
        found = [Refusal(address=a, kind="left out", reason="test") for a in addresses]
        path = Path(task.run) / "measurements" / f"{task.batch}.{task.attempt}.h5"
        receipt = Receipt(
            file=path.name, checksum=save(path, found), items=len(found), seconds=1.0
        )
        return Finished(task=task, receipt=receipt)


@pytest.fixture
def paths(tmp_path: Path) -> RunPaths:
    paths = RunPaths(tmp_path / "run")
    paths.make()
    return paths


@pytest.fixture
def ledger(paths: RunPaths) -> Iterator[Ledger]:
    ledger = Ledger(paths.ledger, create=True)
    ledger.note("session", "1")
    yield ledger
    ledger.close()


@pytest.fixture
def refusals(paths: RunPaths, ledger: Ledger) -> Callable[[Fate, int], Counted]:
    def run(fate: Fate, images: int) -> Counted:
        engine = ScriptedEngine(fate)
        pace = Pace(fixed=8)
        dispatcher = Dispatcher(engine, ledger, paths, pace, lambda _: None)
        work = [Work(id=n, item=Item(address=f"{n}.fits")) for n in range(images)]
        dispatcher.offer("measure", work)
        found: list[Refusal] = []
        while not dispatcher.idle:
            dispatcher.feed(hold_partial=False)
            for done in dispatcher.collect(0):
                found += [f for f in done.findings if isinstance(f, Refusal)]
        return Counted(found, engine.executed)

    return run


class Counted:
    def __init__(self, refusals: list[Refusal], executed: Counter[str]) -> None:
        self.failed = [r for r in refusals if r.kind == "failed"]
        self.done = [r.address for r in refusals if r.kind == "left out"]
        self.executed = executed


def killed(task: Task) -> Died:
    return Died(task=task, worker="worker-0", how="signal 9")
