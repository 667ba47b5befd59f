"""What is sent again, and for how long, when workers die under their batches."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.batches import Counted, Fate, ScriptedEngine, killed, ledger, paths, refusals
from trap_hpc.engines.base import Failed, Finished, Lost, Outcome
from trap_hpc.errors import RunError, StorageError
from trap_hpc.paths import RunPaths
from trap_hpc.pipeline.tasks import Batch, Item, Receipt, Task
from trap_hpc.run import receipts
from trap_hpc.run.batches import Dispatcher
from trap_hpc.run.ledger import Ledger
from trap_hpc.run.pace import Pace
from trap_hpc.run.sendings import Work

__all__ = ["ledger", "paths", "refusals"]


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
        receipt = Receipt(file=task.file, checksum="0", items=8, seconds=1.0)
        return Finished(task=task, receipt=receipt)

    assert len(refusals(damaged, 20).done) == 20


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
