"""Batches that take too long, and those that take strangely long near the end."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from itertools import cycle

from tests.batches import Counted, Fate, ScriptedEngine, ledger, paths, refusals
from trap_hpc.engines.base import Finished, Lost, Outcome, TimedOut
from trap_hpc.paths import RunPaths
from trap_hpc.pipeline.measurements import save
from trap_hpc.pipeline.records import Refusal
from trap_hpc.pipeline.tasks import Batch, Item, Receipt, Task
from trap_hpc.run.batches import Dispatcher
from trap_hpc.run.ledger import Ledger
from trap_hpc.run.pace import Pace
from trap_hpc.run.sendings import Work

__all__ = ["ledger", "paths", "refusals"]

# what takes too long --------------------------------------------------------------


class Workers(ScriptedEngine):
    """Some hang in certain images for longer than they may; the workers take turns."""

    def __init__(self, hanging: Callable[[str, str], bool], workers: int) -> None:
        """``hanging``: whether a worker hangs in an image."""
        super().__init__(self._hang)
        self._hanging = hanging
        self._turns = cycle(f"w{number}" for number in range(workers))
        self.places = workers
        self.limits: list[float] = []

    def _hang(self, task: Task, batch: Batch) -> Outcome | None:
        worker = next(self._turns)
        self.limits.append(task.limit_s)
        if any(self._hanging(worker, item.address) for item in batch.items):
            return TimedOut(task=task, worker=worker)
        return None


def run_with(
    engine: ScriptedEngine, ledger: Ledger, paths: RunPaths, images: int
) -> Counted:
    dispatcher = Dispatcher(
        engine, ledger, paths, Pace(fixed=8, limit_s=10.0), lambda _: None
    )
    work = [Work(id=n, item=Item(address=f"{n}.fits")) for n in range(images)]
    dispatcher.offer("measure", work)
    found: list[Refusal] = []
    while not dispatcher.idle:
        dispatcher.feed(hold_partial=False)
        for done in dispatcher.collect(0):
            found += [f for f in done.findings if isinstance(f, Refusal)]
    return Counted(found, engine.executed)


def test_an_image_that_hangs_on_two_workers_is_refused_and_no_other(
    ledger: Ledger, paths: RunPaths
) -> None:
    engine = Workers(lambda worker, image: image == "13.fits", workers=3)
    counted = run_with(engine, ledger, paths, 50)
    (refusal,) = counted.failed
    assert refusal.address == "13.fits"
    assert "tried on 2 workers: it may hang" in refusal.reason
    assert len(counted.done) == 49
    assert set(counted.executed.values()) == {1}


def test_a_slow_worker_gets_no_image_refused(ledger: Ledger, paths: RunPaths) -> None:
    engine = Workers(lambda worker, image: worker == "w1", workers=3)
    counted = run_with(engine, ledger, paths, 50)
    assert counted.failed == []
    assert len(counted.done) == 50


def test_where_there_is_one_worker_it_is_tried_thrice_with_ever_more_time(
    ledger: Ledger, paths: RunPaths
) -> None:
    engine = Workers(lambda worker, image: image == "0.fits", workers=1)
    counted = run_with(engine, ledger, paths, 1)
    assert engine.limits == [10.0, 20.0, 40.0]
    assert "tried on 1 worker:" in counted.failed[0].reason


def test_what_a_worker_gives_back_costs_nothing(
    refusals: Callable[[Fate, int], Counted],
) -> None:
    given_back = Counter[str]()

    def leaves(task: Task, batch: Batch) -> Outcome | None:
        given_back[task.batch] += 1
        enough = given_back[task.batch] > 25
        return None if enough else Lost(task=task, worker="w", begun=False)

    assert len(refusals(leaves, 16).done) == 16


# files that are seen late ---------------------------------------------------------


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
