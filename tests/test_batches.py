"""What is sent again, and for how long, when workers die under their batches."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from trap_hpc.engines.base import Died, Failed, Finished, Lost, Outcome
from trap_hpc.errors import RunError, StorageError
from trap_hpc.paths import RunPaths
from trap_hpc.pipeline.measurements import save
from trap_hpc.pipeline.records import Refusal
from trap_hpc.pipeline.tasks import Batch, Item, Receipt, Task, read_batch
from trap_hpc.run import receipts
from trap_hpc.run.batches import Dispatcher, Work
from trap_hpc.run.ledger import Ledger
from trap_hpc.run.pace import Pace

Fate = Callable[[Task, Batch], Outcome | None]


class ScriptedEngine:
    """An engine whose tasks end as the test says; by default they finish."""

    name = "scripted"
    workers = 2
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


def test_every_item_is_done_once(refusals: Callable[[Fate, int], Counted]) -> None:
    counted = refusals(lambda task, batch: None, 50)
    assert sorted(counted.done) == sorted(f"{n}.fits" for n in range(50))
    assert set(counted.executed.values()) == {1}


def test_the_guilty_image_alone_is_refused(
    refusals: Callable[[Fate, int], Counted],
) -> None:
    def poisoned(task: Task, batch: Batch) -> Outcome | None:
        guilty = any(item.address == "13.fits" for item in batch.items)
        return killed(task) if guilty else None

    counted = refusals(poisoned, 50)
    (failed,) = counted.failed
    assert failed.address == "13.fits"
    assert failed.reason == "its worker died (signal 9) each of 3 times"
    assert len(counted.done) == 49
    assert set(counted.executed.values()) == {1}


def test_a_lost_worker_costs_no_attempt(
    refusals: Callable[[Fate, int], Counted],
) -> None:
    def lost_often(task: Task, batch: Batch) -> Outcome | None:
        return Lost(task=task, worker="node-3") if task.attempt < 8 else None

    assert len(refusals(lost_often, 10).done) == 10


def test_a_batch_that_is_always_lost_ends_the_run(
    refusals: Callable[[Fate, int], Counted],
) -> None:
    with pytest.raises(RunError, match="lost 10 times"):
        refusals(lambda task, batch: Lost(task=task, worker="node-3"), 10)


def test_a_full_disk_ends_the_run_at_once(
    refusals: Callable[[Fate, int], Counted],
) -> None:
    with pytest.raises(StorageError, match="disk is full"):
        refusals(lambda t, b: Failed(task=t, error="disk is full", fatal=True), 10)


def test_a_batch_that_fails_three_times_ends_the_run(
    refusals: Callable[[Fate, int], Counted],
) -> None:
    with pytest.raises(RunError, match="no such module"):
        refusals(lambda t, b: Failed(task=t, error="no such module"), 10)


def test_a_damaged_measurement_file_is_made_again(
    paths: RunPaths,
    refusals: Callable[[Fate, int], Counted],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(receipts, "PATIENCE_S", 0.5)

    def damaged(task: Task, batch: Batch) -> Outcome | None:
        if task.attempt > 1:
            return None
        receipt = Receipt(file="never-written.h5", checksum="0", items=8, seconds=1.0)
        return Finished(task=task, receipt=receipt)

    assert len(refusals(damaged, 20).done) == 20


def test_a_measurement_file_that_is_seen_late_is_not_made_again(
    paths: RunPaths, refusals: Callable[[Fate, int], Counted]
) -> None:
    def late(task: Task, batch: Batch) -> Outcome | None:
        path = paths.measurements / f"{task.batch}.{task.attempt}.h5"
        addresses = [item.address for item in batch.items]
        found = [Refusal(address=a, kind="left out", reason="test") for a in addresses]
        hidden = path.with_suffix(".hidden")
        checksum = save(hidden, found)
        threading.Timer(1.0, hidden.rename, [path]).start()
        receipt = Receipt(file=path.name, checksum=checksum, items=8, seconds=1.0)
        return Finished(task=task, receipt=receipt)

    counted = refusals(late, 50)
    assert sorted(counted.done) == sorted(f"{n}.fits" for n in range(50))
    written = [path.name for path in paths.measurements.iterdir()]
    assert len(written) == 7
    assert all(name.endswith(".1.h5") for name in written), "none was sent twice"


def test_a_lost_batch_file_is_written_again(
    paths: RunPaths, refusals: Callable[[Fate, int], Counted]
) -> None:
    def vanished(task: Task, batch: Batch) -> Outcome | None:
        if task.attempt > 1:
            return None
        (paths.batches / f"{task.batch}.json").unlink()
        return Failed(task=task, error="no batch file")

    assert len(refusals(vanished, 20).done) == 20


def test_forced_fits_wait_until_they_fill_a_batch(
    paths: RunPaths, ledger: Ledger
) -> None:
    engine = ScriptedEngine(lambda task, batch: None)
    dispatcher = Dispatcher(engine, ledger, paths, Pace(fixed=3), lambda _: None)
    for n in range(2):
        dispatcher.offer("force", [Work(id=n, item=Item(address=f"{n}.fits"))])
        dispatcher.feed(hold_partial=True)
        assert not engine.sent
    dispatcher.feed(hold_partial=False)
    assert len(engine.sent) == 1


def test_batches_last_about_as_long_as_wanted() -> None:
    pace = Pace(wanted_s=2.0)
    for _ in range(20):
        pace.learn("measure", 0.02)
    assert pace.size("measure", waiting=10_000, workers=4, total=10_000) == 100
    assert pace.size("measure", waiting=16, workers=4, total=10_000) == 2
    assert pace.size("measure", waiting=10**6, workers=4, total=10**6) == 200
