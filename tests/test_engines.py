"""One contract for every engine."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import forkserver
from pathlib import Path

import pytest

from tests.fleet import BROKERS, broker_of, fleet, new_run
from tests.rabbitmq import rabbitmq_url
from tests.samples import write_noise
from trap_hpc.engines.base import (
    Died,
    Engine,
    Failed,
    Finished,
    Lost,
    Outcome,
    TimedOut,
)
from trap_hpc.engines.processes import ProcessesEngine
from trap_hpc.engines.serial import SerialEngine
from trap_hpc.errors import MeasurementError
from trap_hpc.paths import RunPaths
from trap_hpc.pipeline import measurements
from trap_hpc.pipeline.records import Header, Refusal
from trap_hpc.pipeline.tasks import Batch, Item, Task, write_batch

__all__ = ["rabbitmq_url"]

ENGINES: dict[str, Callable[[], Engine]] = {
    "serial": SerialEngine,
    "processes": lambda: ProcessesEngine(2),
}


@contextmanager
def running(engine: Engine) -> Iterator[Engine]:
    engine.start()
    try:
        yield engine
    finally:
        engine.close()


IN_PROCESSES = ["processes", *(f"celery-{kind}" for kind in BROKERS)]


@pytest.fixture(params=["serial", *IN_PROCESSES])
def engine(request: pytest.FixtureRequest, run: RunPaths) -> Iterator[Engine]:
    local = ENGINES.get(request.param)
    if local is not None:
        with running(local()) as engine:
            yield engine
        return
    kind = request.param.removeprefix("celery-")
    with broker_of(kind, request, run) as broker, fleet(run, broker) as made:
        made.start_worker(slots=2)
        made.wait_for_workers(1)
        yield made.engine


@pytest.fixture
def run(tmp_path: Path) -> RunPaths:
    return new_run(tmp_path / "run")


def scan_task(run: RunPaths, name: str, addresses: Sequence[object]) -> Task:
    items = [Item(address=str(address)) for address in addresses]
    write_batch(run.batches, Batch(name=name, step="scan", items=items))
    return Task(run=str(run.directory), batch=name)


def hear(engine: Engine, count: int, deadline_s: float = 60.0) -> list[Outcome]:
    outcomes: list[Outcome] = []
    end = time.monotonic() + deadline_s
    while len(outcomes) < count:
        assert time.monotonic() < end, f"only {outcomes} came in time"
        outcomes += engine.outcomes(0.5)
    return outcomes


def test_every_task_has_one_outcome(engine: Engine, run: RunPaths) -> None:
    image = write_noise(run.directory / "a.fits")
    tasks = [scan_task(run, f"scan-{n}", [image]) for n in range(5)]
    heard: list[Outcome] = []
    for task in tasks:
        while len(tasks) and len(heard) + engine.capacity <= tasks.index(task):
            heard += hear(engine, 1)
        engine.submit(task)
    heard += hear(engine, len(tasks) - len(heard))
    assert all(isinstance(outcome, Finished) for outcome in heard)
    assert sorted(outcome.task.batch for outcome in heard) == [t.batch for t in tasks]


def test_a_receipt_leads_to_the_findings(engine: Engine, run: RunPaths) -> None:
    good, bad = write_noise(run.directory / "a.fits"), run.directory / "gone.fits"
    engine.submit(scan_task(run, "scan-1", [good, bad]))
    (outcome,) = hear(engine, 1)
    assert isinstance(outcome, Finished)
    receipt = outcome.receipt
    found = measurements.load(run.measurements / receipt.file, receipt.checksum)
    header, refusal = found
    assert isinstance(header, Header)
    assert header.address == str(good)
    assert isinstance(refusal, Refusal)
    assert refusal.kind == "unreadable"


def test_outcomes_returns_when_there_is_nothing_to_hear(engine: Engine) -> None:
    assert list(engine.outcomes(0.01)) == []


def test_close_may_be_called_twice(engine: Engine) -> None:
    engine.close()
    engine.close()


def test_serial_lets_an_exception_rise(run: RunPaths) -> None:
    engine = SerialEngine()
    engine.submit(Task(run=str(run.directory), batch="never-written"))
    with pytest.raises(MeasurementError, match="never-written"):
        engine.outcomes(1)


@pytest.mark.parametrize("engine", IN_PROCESSES, indirect=True)
def test_a_task_that_raises_is_reported(engine: Engine, run: RunPaths) -> None:
    engine.submit(Task(run=str(run.directory), batch="never-written"))
    (outcome,) = hear(engine, 1)
    assert isinstance(outcome, Failed)
    assert "never-written" in outcome.error
    assert not outcome.fatal


@pytest.mark.parametrize("engine", IN_PROCESSES, indirect=True)
def test_a_full_or_missing_run_directory_is_fatal(
    engine: Engine, run: RunPaths
) -> None:
    task = scan_task(run, "scan-1", [])
    run.measurements.rmdir()
    engine.submit(task)
    (outcome,) = hear(engine, 1)
    assert isinstance(outcome, Failed)
    assert outcome.fatal
    assert "check that the folder exists" in outcome.error


def test_a_killed_worker_is_told_from_a_task_that_waited(run: RunPaths) -> None:
    with running(ProcessesEngine(1)) as engine:
        first, second = (scan_task(run, f"scan-{n}", ["x"] * 100_000) for n in (1, 2))
        engine.submit(first)
        engine.submit(second)
        assert list(engine.outcomes(60)) == [], "the worker is ready"
        (pid,) = engine.process_ids  # type: ignore[attr-defined]
        os.kill(pid, signal.SIGKILL)
        died, lost = hear(engine, 2)
        assert died == Died(task=first, worker=died.worker, how="signal 9")  # type: ignore[union-attr]
        assert lost == Lost(task=second, worker=died.worker)
        third = scan_task(run, "scan-3", [])
        engine.submit(third)
        (outcome,) = hear(engine, 1)
    assert isinstance(outcome, Finished), "a dead worker is replaced"


@pytest.mark.parametrize("engine", IN_PROCESSES, indirect=True)
def test_a_task_that_takes_too_long_is_ended_and_the_next_is_done(
    engine: Engine, run: RunPaths
) -> None:
    """Its process waits in the system for something that never comes."""
    os.mkfifo(run.directory / "hangs.fits")
    hanging = scan_task(run, "scan-1", [run.directory / "hangs.fits"])
    limited = replace(hanging, limit_s=1.0)
    began_s = time.monotonic()
    engine.submit(limited)
    (outcome,) = hear(engine, 1)
    assert isinstance(outcome, TimedOut)
    assert outcome.task == limited
    assert time.monotonic() - began_s > 1.0
    image = write_noise(run.directory / "a.fits")
    engine.submit(replace(scan_task(run, "scan-2", [image]), limit_s=60.0))
    (outcome,) = hear(engine, 1)
    assert isinstance(outcome, Finished)


def test_close_ends_all_processes(run: RunPaths) -> None:
    engine = ProcessesEngine(2)
    with running(engine):
        engine.submit(scan_task(run, "scan-1", ["x"] * 100_000))
        pids = engine.process_ids
        assert len(pids) == 2
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_deaths_under_tasks_never_end_the_run(run: RunPaths) -> None:
    """However many in a row: images may be to blame, and are refused one by one."""
    with running(ProcessesEngine(1)) as engine:
        for n in range(12):
            engine.submit(scan_task(run, f"scan-{n}", ["x"] * 50_000))
            assert list(engine.outcomes(60)) == [], "the worker is ready"
            (pid,) = engine.process_ids  # type: ignore[attr-defined]
            os.kill(pid, signal.SIGKILL)
            (outcome,) = hear(engine, 1)
            assert isinstance(outcome, Died)


def test_a_worker_that_dies_before_it_is_ready_blames_no_task(run: RunPaths) -> None:
    with running(ProcessesEngine(1)) as engine:
        engine.submit(scan_task(run, "scan-1", []))
        (pid,) = engine.process_ids  # type: ignore[attr-defined]
        os.kill(pid, signal.SIGKILL)
        (outcome,) = hear(engine, 1)
    assert isinstance(outcome, Lost | Finished), "unless it was quicker"


def test_a_fork_server_that_is_killed_is_replaced(run: RunPaths) -> None:
    with running(ProcessesEngine(2)) as engine:
        for n in range(4):
            engine.submit(scan_task(run, f"scan-{n}", ["x"] * 50_000))
            os.kill(forkserver._forkserver._forkserver_pid, signal.SIGKILL)  # type: ignore[attr-defined]
            for pid in engine.process_ids:  # type: ignore[attr-defined]
                os.kill(pid, signal.SIGKILL)
            (outcome,) = hear(engine, 1)
            assert isinstance(outcome, Died | Lost)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_workers_never_hear_ctrl_c(run: RunPaths) -> None:
    """Nor does their server, from which they have it, even while it starts."""
    with running(ProcessesEngine(1)) as engine:
        (pid,) = engine.process_ids  # type: ignore[attr-defined]
        status = Path(f"/proc/{pid}/status").read_text()
    blocked = int(status.split("SigBlk:")[1].split()[0], 16)
    assert blocked & 1 << (signal.SIGINT - 1)
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
