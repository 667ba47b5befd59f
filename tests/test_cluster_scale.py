"""A thousand jobs cost a handful of calls to the scheduler, and all are gone."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ci import lacking
from tests.cluster.hosts import Host
from tests.cluster.launches import Launch, fresh, no_jobs, none_left
from tests.cluster.processes import wait_until
from tests.cluster.programs import counting
from tests.cluster.skies import simulated
from tests.cluster.slurm import Slurm
from tests.cluster.up import cluster, what_is_missing

JOBS = 1000
STAND_IN = """#!/bin/sh
while [ -e "$4/broker.json" ]; do sleep 10; done
"""
"""In the place of a worker: it is light, and does no more than to see the run end."""


@pytest.fixture
def wide() -> Iterator[Slurm]:
    """Four nodes that claim so many CPUs that all jobs run at the same time."""
    if missing := what_is_missing():
        lacking(missing)
    with cluster(nodes=4, cpus=JOBS // 4, DefMemPerCPU="1") as slurm:
        yield slurm


@pytest.mark.slow
def test_a_thousand_jobs_take_a_handful_of_calls(wide: Slurm) -> None:
    stand_in = wide.work / "stand-in"
    stand_in.write_text(STAND_IN)
    stand_in.chmod(0o755)
    night = simulated(wide, "night", images=6, size=160, sources=5)
    site = wide.site(cores=1, memory="1MB", python=str(stand_in), poll_s=60.0)
    log = wide.work / "calls"
    environment = counting(wide, fresh(wide, "bin"), log)
    launch = Launch(wide, night, site=site, workers=JOBS, environment=environment)
    launch.until_submitted(JOBS)
    assert calls(log, "sbatch") == 1
    wait_until(lambda: running(wide) == JOBS, "all jobs run", 300, step_s=1)
    asked = wide.work / "asked"
    said = wide.run_as_user(
        ["trap-hpc", "status", launch.directory, "--ask"],
        environment=counting(wide, fresh(wide, "bin"), asked),
    )
    assert f"{JOBS} jobs: {JOBS} running" in said.out, str(said)
    assert sum_of_calls(asked) == 1, asked.read_text()
    assert sum_of_calls(log) <= 10, log.read_text()

    before = sum_of_calls(log)
    launch.command.send(signal.SIGINT)
    said = launch.wait(180)
    assert said.code == 130, str(said)
    assert none_left(said, f"{JOBS} jobs")
    assert no_jobs(wide)
    assert calls(log, "scancel") == 1
    assert sum_of_calls(log) - before <= 20, log.read_text()
    # A busy node may begin what Slurm has just ended: it must then end by itself.
    wait_until(lambda: not any(stand_ins(n) for n in wide.nodes), "all are gone", 60)


def stand_ins(node: Host) -> bool:
    return "sleep" in node.run(["ps", "ax", "-o", "comm"]).out


def calls(log: Path, program: str) -> int:
    lines = log.read_text().splitlines() if log.exists() else []
    return sum(line.startswith(program) for line in lines)


def sum_of_calls(log: Path) -> int:
    return len(log.read_text().splitlines())


def running(slurm: Slurm) -> int:
    return len(slurm.squeue("-t", "running"))
