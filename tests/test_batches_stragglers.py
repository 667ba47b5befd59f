"""Batches that take strangely long near the end, and those that are given back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.batches import ScriptedEngine, ledger, paths
from tests.stand_ins import Time
from trap_hpc.engines.base import Lost, Outcome
from trap_hpc.paths import RunPaths
from trap_hpc.pipeline.tasks import Item, Task, read_batch
from trap_hpc.run.batches import Dispatcher
from trap_hpc.run.ledger import Ledger
from trap_hpc.run.pace import Pace
from trap_hpc.run.sendings import Work

__all__ = ["ledger", "paths"]


@dataclass
class Crowd:
    """An engine of many workers that answer when the test wants them to."""

    workers: int = 4
    places: int = 4
    capacity: int = 8
    name: str = "crowd"
    tasks: list[Task] = field(default_factory=list)
    news: list[Outcome] = field(default_factory=list)

    def start(self) -> None: ...

    def close(self) -> None: ...

    def submit(self, task: Task) -> None:
        self.tasks.append(task)

    def outcomes(self, timeout_s: float) -> Sequence[Outcome]:
        news, self.news = self.news, []
        return news

    def finish(self, task: Task) -> None:
        batch = read_batch(Path(task.run) / "batches", task.batch)
        self.news.append(ScriptedEngine(lambda *_: None)._finished(task, batch))


@pytest.fixture
def crowd() -> Crowd:
    return Crowd()


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def straggling(
    crowd: Crowd, clock: Time, ledger: Ledger, paths: RunPaths
) -> Dispatcher:
    """One batch is under way, and there is nothing else to do."""
    dispatcher = Dispatcher(crowd, ledger, paths, Pace(fixed=8), lambda _: None, clock)
    dispatcher.offer("measure", [Work(id=1, item=Item(address="1.fits"))])
    dispatcher.feed(hold_partial=False)
    assert len(crowd.tasks) == 1
    return dispatcher


def test_near_the_end_a_late_batch_is_given_to_another_worker(
    straggling: Dispatcher, crowd: Crowd, clock: Time
) -> None:
    clock.sleep(9)
    straggling.feed(hold_partial=False)
    assert len(crowd.tasks) == 1
    clock.sleep(2)
    straggling.feed(hold_partial=False)
    straggling.feed(hold_partial=False)
    first, second = crowd.tasks
    assert first.batch == second.batch
    assert first.attempt != second.attempt


@pytest.mark.parametrize("quicker", [0, 1])
def test_whoever_is_quicker_counts_and_the_other_is_not_heard(
    straggling: Dispatcher, crowd: Crowd, clock: Time, quicker: int
) -> None:
    clock.sleep(11)
    straggling.feed(hold_partial=False)
    crowd.finish(crowd.tasks[quicker])
    assert len(list(straggling.collect(0))) == 1
    assert straggling.idle
    crowd.finish(crowd.tasks[1 - quicker])
    assert list(straggling.collect(0)) == []


def test_a_late_batch_whose_other_worker_dies_is_not_sent_again(
    straggling: Dispatcher, crowd: Crowd, clock: Time
) -> None:
    clock.sleep(11)
    straggling.feed(hold_partial=False)
    crowd.news = [Lost(task=crowd.tasks[1], worker="w")]
    assert not list(straggling.collect(0))
    straggling.feed(hold_partial=False)
    assert len(crowd.tasks) == 2
    crowd.finish(crowd.tasks[0])
    assert len(list(straggling.collect(0))) == 1


def test_a_late_batch_is_with_three_workers_at_most(
    straggling: Dispatcher, crowd: Crowd, clock: Time
) -> None:
    for _ in range(100):
        clock.sleep(100)
        straggling.feed(hold_partial=False)
    assert len(crowd.tasks) == 3


def test_while_all_workers_are_busy_nothing_is_given_to_others(
    straggling: Dispatcher, crowd: Crowd, clock: Time
) -> None:
    crowd.workers = 1
    clock.sleep(1000)
    straggling.feed(hold_partial=False)
    assert len(crowd.tasks) == 1


def test_a_batch_that_was_given_back_is_cut_if_images_take_longer_than_was_thought(
    crowd: Crowd, clock: Time, ledger: Ledger, paths: RunPaths
) -> None:
    """A short job would have no time for it."""
    pace = Pace()
    dispatcher = Dispatcher(crowd, ledger, paths, pace, lambda _: None, clock)
    work = [Work(id=n, item=Item(address=f"{n}.fits")) for n in range(80)]
    dispatcher.offer("measure", work)
    dispatcher.feed(hold_partial=False)
    first = crowd.tasks[0]
    batch = read_batch(paths.batches, first.batch)
    assert len(batch.items) > 3
    pace.learn("measure", 1.0)
    sent = len(crowd.tasks)
    crowd.news = [Lost(task=first, worker="w", begun=False)]
    assert not list(dispatcher.collect(0))
    crowd.capacity = 100
    dispatcher.feed(hold_partial=False)
    again = [read_batch(paths.batches, task.batch) for task in crowd.tasks[sent:]]
    images = {item.address for item in batch.items}
    parts = [each for each in again if images & {i.address for i in each.items}]
    assert len(parts) > 1
    assert max(len(part.items) for part in parts) <= pace.full("measure")
