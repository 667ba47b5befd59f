"""A Slurm whose pauses take no time, and whose programs may be tampered with."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import pytest

from tests.shims import Shims
from trap_hpc.config.job_environment import client_environment
from trap_hpc.schedulers.base import JobRequest
from trap_hpc.schedulers.caller import Caller
from trap_hpc.schedulers.client import BatchScheduler
from trap_hpc.schedulers.slurm import Slurm

RUN = "trap-faulty00"


@dataclass
class Time:
    """A clock on which sleeping takes no time."""

    slept_s: float = 0.0
    asleep: Callable[[], object] = lambda: None
    pauses: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.slept_s + monotonic()

    def sleep(self, seconds: float) -> None:
        self.slept_s += seconds
        self.pauses.append(seconds)
        self.asleep()


@pytest.fixture
def time() -> Time:
    return Time()


def slurm(time: Time, *, timeout_s: float = 20, most: int = 0) -> BatchScheduler:
    caller = Caller(
        unreachable=Slurm().unreachable,
        environment=client_environment,
        timeout_s=timeout_s,
        clock=time.clock,
        sleep=time.sleep,
    )
    return BatchScheduler(
        Slurm(), caller, job_environment=client_environment, max_array_size=most
    )


@pytest.fixture
def request_(tmp_path: Path) -> JobRequest:
    script = tmp_path / "job.sh"
    script.write_text("#!/bin/bash\nexec sleep 300\n")
    return JobRequest(
        run_id=RUN,
        epoch=1,
        script=script,
        log=tmp_path,
        count=3,
        cores=1,
        memory="10MB",
    )


@pytest.fixture
def shims(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shims:
    return Shims(tmp_path / "bin", monkeypatch, os.environ["PATH"])


def there(scheduler: BatchScheduler) -> list[str]:
    return [job.array for job in scheduler.jobs([RUN]) if job.state.left]
