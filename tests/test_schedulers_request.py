"""How many jobs of which size a session asks for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from trap_hpc.config.environment import cores
from trap_hpc.config.site import Site
from trap_hpc.errors import SchedulerError, UsageError
from trap_hpc.paths import RunPaths
from trap_hpc.schedulers.base import JobRequest
from trap_hpc.schedulers.known import make_scheduler
from trap_hpc.schedulers.request import default_workers, job_request
from trap_hpc.schedulers.srun import allocation

SLURM = Site(name="big", scheduler="slurm")
LOCAL = Site()
SRUN = Site(scheduler="srun")


def request_of(site: Site, workers: int) -> JobRequest:
    paths = RunPaths(Path("/runs/trap-x"))
    return job_request(site, run_id="trap-x", epoch=1, paths=paths, workers=workers)


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a job of three nodes, one of them smaller."""
    monkeypatch.setenv("SLURM_JOB_ID", "77")
    monkeypatch.setenv("SLURM_JOB_NUM_NODES", "3")
    monkeypatch.setenv("SLURM_JOB_CPUS_PER_NODE", "8(x2),4")
    monkeypatch.setenv("SLURM_CPUS_ON_NODE", "8")


@pytest.mark.parametrize(
    ("cores", "workers", "count", "each"),
    [(0, 1, 1, 1), (0, 64, 64, 1), (16, 64, 4, 16), (16, 65, 5, 16), (16, 3, 1, 3)],
)
def test_jobs_are_as_few_as_hold_the_workers(
    cores: int, workers: int, count: int, each: int
) -> None:
    request = request_of(replace(SLURM, cores=cores), workers)
    assert (request.count, request.cores) == (count, each)


def test_a_request_holds_what_the_profile_says() -> None:
    site = replace(
        SLURM,
        queue="short",
        account="lofar",
        memory="8GB",
        walltime="01:00:00",
        job_extra_directives=("--constraint=haswell",),
        job_directives_skip=("--mem",),
    )
    request = request_of(site, 1)
    assert (request.queue, request.account) == ("short", "lofar")
    assert (request.memory, request.walltime) == ("8GB", "01:00:00")
    assert request.extra_directives == ("--constraint=haswell",)
    assert request.directives_skip == ("--mem",)
    assert request.script == Path("/runs/trap-x/job.sh")
    assert request.log == Path("/runs/trap-x/logs")


def test_more_jobs_than_a_user_may_have_are_refused() -> None:
    assert request_of(replace(SLURM, max_jobs=10), 10).count == 10
    with pytest.raises(UsageError, match=r"11 jobs.*allows 10.*--cores"):
        request_of(replace(SLURM, max_jobs=10), 11)


def test_workers_fill_what_there_is_if_nobody_says_how_many(inside: None) -> None:
    del inside
    assert default_workers(LOCAL) == cores()
    assert default_workers(replace(LOCAL, cores=1, workers=3)) == 3
    assert default_workers(replace(SLURM, cores=16)) == 16
    assert default_workers(replace(SLURM, cores=16, workers=64)) == 64
    assert default_workers(replace(SRUN, cores=16, workers=64)) == 12


def test_an_allocation_gives_what_its_smallest_node_has(inside: None) -> None:
    del inside
    here = allocation()
    assert (here.job, here.nodes, here.cores) == ("77", 3, 4)
    request = request_of(SRUN, 12)
    assert (request.count, request.cores) == (3, 4)


def test_more_than_the_allocation_has_is_refused(inside: None) -> None:
    del inside
    with pytest.raises(SchedulerError, match="3 nodes of 4 cores"):
        make_scheduler(SRUN).submit_commands(request_of(SRUN, 13))
