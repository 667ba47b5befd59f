"""An engine whose worker makes measurements up instead of reading images."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from pathlib import Path

from benchmarks.synthetic import Sky, number_of
from trap_hpc.engines.base import Finished, Outcome
from trap_hpc.pipeline.measurements import Finding
from trap_hpc.pipeline.tasks import Item, Receipt, Task, deliver, read_batch


class SyntheticEngine:
    """One worker process, so that the driver's own costs can be told apart."""

    name = "synthetic"
    workers = 1
    places = 1
    capacity = 2

    def __init__(self, sources: int) -> None:
        self._sources = sources
        self._under_way: dict[Future[Receipt], Task] = {}

    def start(self) -> None:
        """Start the worker without anything of this process in it."""
        context = multiprocessing.get_context("forkserver")
        self._pool = ProcessPoolExecutor(1, mp_context=context)

    def submit(self, task: Task) -> None:
        self._under_way[self._pool.submit(work, task, self._sources)] = task

    def outcomes(self, timeout_s: float) -> Sequence[Outcome]:
        done, _ = wait(self._under_way, timeout_s, FIRST_COMPLETED)
        return [
            Finished(task=self._under_way.pop(future), receipt=future.result())
            for future in done
        ]

    def close(self) -> None:
        self._pool.shutdown()


def work(task: Task, sources: int) -> Receipt:
    """Do what `trap_hpc.pipeline.tasks.work` does, with made-up findings."""
    started = time.perf_counter()
    run = Path(task.run)
    batch = read_batch(run / "batches", task.batch)
    sky = Sky(sources)
    findings = [_finding(sky, batch.step, item) for item in batch.items]
    return deliver(task, batch, findings, started)


def _finding(sky: Sky, step: str, item: Item) -> Finding:
    number = number_of(item.address)
    match step:
        case "scan":
            return sky.header(number)
        case "measure":
            return sky.image(number)
        case _:
            assert item.requests is not None
            return sky.forced(number, item.requests)
