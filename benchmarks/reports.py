"""What the reports of a thousand workers cost the launcher, over a real broker."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.commands import ROOT, BenchmarkError, Setting, module
from benchmarks.figures import Figure
from trap_hpc.engines.base import Finished
from trap_hpc.engines.broker import write_broker
from trap_hpc.engines.celery.engine import CeleryEngine
from trap_hpc.engines.redis_server.server import BrokerOrder, start_private_broker
from trap_hpc.pipeline.tasks import Task

WORKERS = (10, 100, 1000)
IDLE_S, QUICK_IDLE_S = 30.0, 5.0
TASKS, QUICK_TASKS = 10_000, 1000
COUNT_EVERY_S = 1.0
"""So often a session asks who is there."""


def figures(setting: Setting) -> Iterator[Figure]:
    idle_s = QUICK_IDLE_S if setting.quick else IDLE_S
    tasks = QUICK_TASKS if setting.quick else TASKS
    idle, busy = [], []
    for workers in WORKERS:
        folder = setting.folder / str(workers)
        folder.mkdir()
        with _launcher(folder, workers) as engine:
            idle.append(_idle(engine, idle_s))
            busy.append(_busy(engine, tasks))
        yield Figure(
            name=f"launcher, {workers} workers that wait",
            unit="ms CPU/s",
            values=(1000 * idle[-1],),
            remark="a report each every 5 s, read and noted",
        )
        yield Figure(
            name=f"launcher, {workers} workers at work",
            unit="ms CPU/task",
            values=(1000 * busy[-1],),
            remark=f"sent, reported taken, reported done; {tasks} tasks",
        )
    yield Figure(
        name=f"launcher, a task: {WORKERS[-1]} workers / {WORKERS[0]}",
        unit="",
        values=(busy[-1] / busy[0],),
    )


@contextmanager
def _launcher(folder: Path, workers: int) -> Iterator[CeleryEngine]:
    """A launcher's engine with so many workers in."""
    order = BrokerOrder(
        run_id="trap-reports0",
        epoch=1,
        identity="0123456789abcdef",
        snapshot="",
        addresses=("127.0.0.1",),
        credentials=folder / "broker.json",
    )
    with ExitStack() as stack:
        private = start_private_broker(order, lambda _: None)
        stack.callback(private.stop)
        write_broker(order.credentials, private.broker)
        engine = CeleryEngine(private.broker, address="127.0.0.1")
        stack.callback(engine.close)
        engine.start()
        words = module("reporters", order.credentials, str(workers))
        process = stack.enter_context(
            subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE)
        )
        stack.callback(process.kill)
        while len(engine.members()) < workers:
            engine.outcomes(0.1)
        yield engine


def _idle(engine: CeleryEngine, seconds: float) -> float:
    """CPU seconds a second, with nothing to do but to listen."""
    began_s, cpu_s = time.monotonic(), time.process_time()
    count_s = began_s
    while time.monotonic() < began_s + seconds:
        engine.outcomes(0.5)
        if time.monotonic() >= count_s:
            engine.members()
            count_s += COUNT_EVERY_S
    return (time.process_time() - cpu_s) / (time.monotonic() - began_s)


def _busy(engine: CeleryEngine, tasks: int) -> float:
    """CPU seconds a task, with as many under way as may be."""
    cpu_s, sent, done = time.process_time(), 0, 0
    while done < tasks:
        while sent < tasks and sent - done < engine.capacity:
            engine.submit(Task(run="/runs/trap-reports0", batch=f"measure-1-{sent}"))
            sent += 1
        news = engine.outcomes(0.5)
        if lost := [each for each in news if not isinstance(each, Finished)]:
            raise BenchmarkError(f"{len(lost)} tasks were lost, though no worker was")
        done += len(news)
    return (time.process_time() - cpu_s) / tasks
