"""The contract of a scheduler, with real jobs."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pytest

from tests.slurm_here import SlurmHere, wait_until
from trap_hpc.config.job_environment import job_environment
from trap_hpc.config.site import Site
from trap_hpc.errors import SchedulerError
from trap_hpc.paths import RunPaths
from trap_hpc.schedulers.base import Job, JobRequest, Scheduler, State
from trap_hpc.schedulers.known import make_scheduler
from trap_hpc.schedulers.request import job_request
from trap_hpc.schedulers.script import job_script

WORKER = "exec sleep 300\n"
LISTENS = "trap '' TERM; while true; do sleep 0.1; done\n"
"""A worker that does not hear when it is told to end."""


@dataclass
class Bench:
    """A site, and runs on it whose workers are a few lines of shell."""

    site: Site
    folder: Path
    made: list[Scheduler] = field(default_factory=list)
    """What was started by one of these is its child."""

    @property
    def scheduler(self) -> Scheduler:
        """One that knows nothing of what another one did."""
        self.made.append(make_scheduler(self.site))
        return self.made[-1]

    def run(self, run_id: str, worker: str = WORKER, workers: int = 2) -> JobRequest:
        paths = RunPaths(self.folder / run_id)
        paths.make()
        script = job_script(
            self.site,
            run=paths.directory,
            epoch=1,
            run_id=run_id,
            code=paths.code,
            environment=job_environment(self.site.environment),
        )
        # All of the real script but its last line, which starts a worker.
        lines = script.rstrip("\n").split("\n")[:-1]
        paths.job_script.write_text("\n".join([*lines, worker]))
        return job_request(
            self.site, run_id=run_id, epoch=1, paths=paths, workers=workers
        )


@pytest.fixture(params=["local", "slurm", "srun"])
def bench(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Bench]:
    # What users call their folders.
    folder = tmp_path / 'it\'s $HOME; 100%n "bad"'
    folder.mkdir()
    site = Site(name="test", scheduler=request.param, cores=1)
    if request.param != "local":
        here: SlurmHere = request.getfixturevalue("loopback")
        site = replace(site, memory="100MB", submit_timeout_s=20)
    if request.param == "srun":
        allocate(here, tmp_path, monkeypatch)
    bench = Bench(site, folder)
    yield bench
    runs = [path.name for path in folder.iterdir()]
    for scheduler in (bench.scheduler, *bench.made):
        wait_until(partial(none_left, scheduler, runs))


def allocate(here: SlurmHere, folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Submit a job, and make believe that we run in it."""
    (folder / "job.sh").write_text("#!/bin/bash\nsleep 300\n")
    options = ["--parsable", "--nodes=2", "--cpus-per-task=4", "--output=/dev/null"]
    job = here.ask("sbatch", *options, str(folder / "job.sh")).strip()
    wait_until(lambda: "RUNNING" in here.ask("squeue", "-h", "-j", job, "-o", "%T"))
    patch.setenv("SLURM_JOB_ID", job)
    patch.setenv("SLURM_JOB_NUM_NODES", "2")
    patch.setenv("SLURM_JOB_CPUS_PER_NODE", "4(x2)")
    patch.setenv("SLURM_NTASKS", "7")
    patch.setenv("SLURM_MEM_PER_CPU", "1")


def left(scheduler: Scheduler, runs: list[str]) -> list[Job]:
    return [job for job in scheduler.jobs(runs) if job.state.left]


def none_left(scheduler: Scheduler, runs: list[str]) -> bool:
    """Whether all is gone; if not, it is cancelled."""
    found = left(scheduler, runs)
    scheduler.cancel([job.array for job in found])
    return not found


def running(scheduler: Scheduler, run_id: str, count: int) -> list[Job]:
    """Wait until so many jobs run."""

    def there() -> bool:
        states = [job.state for job in scheduler.jobs([run_id])]
        return states.count(State.RUNNING) == count

    wait_until(there)
    return list(scheduler.jobs([run_id]))


def jobs_of(bench: Bench, request: JobRequest) -> int:
    """How many jobs the scheduler makes of the request."""
    return 1 if bench.site.scheduler == "srun" else request.count


def logs(request: JobRequest) -> str:
    return "".join(path.read_text() for path in request.log.iterdir())


def test_jobs_run_and_are_gone_once_cancelled(bench: Bench) -> None:
    scheduler, request = bench.scheduler, bench.run("trap-aaaaaaaa")
    ids = scheduler.submit(request)
    jobs = running(scheduler, request.run_id, jobs_of(bench, request))
    assert {job.array for job in jobs} == set(ids)
    assert {job.name for job in jobs} == {request.run_id}
    assert all(job.node for job in jobs)
    scheduler.cancel(ids)
    wait_until(lambda: not left(scheduler, [request.run_id]))
    told = [job.native for job in scheduler.jobs([request.run_id])]
    assert set(told) <= {"CANCELLED"}


def test_jobs_whose_ids_were_lost_are_found_by_their_run(bench: Bench) -> None:
    request = bench.run("trap-bbbbbbbb")
    bench.scheduler.submit(request)
    other = bench.scheduler
    running(other, request.run_id, jobs_of(bench, request))
    other.cancel([job.array for job in other.jobs([request.run_id])])
    wait_until(lambda: not left(other, [request.run_id]))


def test_runs_keep_apart(bench: Bench) -> None:
    scheduler = bench.scheduler
    ours, theirs = (bench.run(f"trap-{name * 8}", workers=1) for name in "cd")
    ids = [scheduler.submit(request) for request in (ours, theirs)]
    running(scheduler, ours.run_id, 1)
    running(scheduler, theirs.run_id, 1)
    scheduler.cancel(ids[0])
    wait_until(lambda: not left(scheduler, [ours.run_id]))
    both = scheduler.jobs([ours.run_id, theirs.run_id])
    assert [j.name for j in both if j.state.left] == [theirs.run_id]


def test_jobs_that_end_by_themselves_are_not_left(bench: Bench) -> None:
    scheduler, request = bench.scheduler, bench.run("trap-eeeeeeee", "sleep 1; true")
    scheduler.submit(request)
    wait_until(lambda: not left(scheduler, [request.run_id]))
    assert {j.native for j in scheduler.jobs([request.run_id])} == {"COMPLETED"}


def test_a_job_that_failed_is_explained(bench: Bench) -> None:
    scheduler = bench.scheduler
    request = bench.run("trap-ffffffff", "sleep 1; exit 78", workers=1)
    scheduler.submit(request)
    wait_until(lambda: not left(scheduler, [request.run_id]))
    (job,) = scheduler.jobs([request.run_id])
    assert job.native == "FAILED"
    assert "78" in scheduler.explain(job)
    assert not scheduler.hopeless(job)


def test_jobs_that_nobody_knows_can_be_cancelled(bench: Bench) -> None:
    bench.scheduler.cancel([])
    bench.scheduler.cancel(["99999"])
    assert bench.scheduler.jobs([]) == []
    assert bench.scheduler.jobs(["trap-unknown0"]) == []


def test_what_does_not_hear_is_killed(bench: Bench) -> None:
    scheduler, request = bench.scheduler, bench.run("trap-gggggggg", LISTENS, 1)
    ids = scheduler.submit(request)
    running(scheduler, request.run_id, 1)
    scheduler.cancel(ids)
    wait_until(lambda: not left(scheduler, [request.run_id]))


def test_a_job_knows_its_id_and_little_else(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_PASSWORD", "hidden")
    monkeypatch.setenv("WHATEVER", "hidden")
    monkeypatch.setenv("LC_TIME", "C")
    request = bench.run("trap-hhhhhhhh", "env; exec sleep 300", workers=1)
    scheduler = bench.scheduler
    scheduler.submit(request)
    (job,) = running(scheduler, request.run_id, 1)
    wait_until(lambda: "TRAP_HPC_JOB" in logs(request))
    told = logs(request).splitlines()
    assert f"TRAP_HPC_JOB={job.id}" in told
    assert f"PYTHONPATH={request.script.parent}/code.zip" in told
    assert {"LC_TIME=C", "OMP_NUM_THREADS=1", "PYTHONSAFEPATH=1"} <= set(told)
    assert "hidden" not in logs(request)
    assert "SLURM_NTASKS=7" not in told


def test_the_cluster_has_a_name(bench: Bench) -> None:
    local = bench.site.scheduler == "local"
    assert bench.scheduler.cluster() == (socket.gethostname() if local else "loop")


def test_a_rehearsal_starts_nothing(bench: Bench) -> None:
    request = bench.run("trap-iiiiiiii")
    request.script.unlink()
    assert bench.scheduler.rehearse(request)
    assert bench.scheduler.jobs([request.run_id]) == []


def test_a_node_that_is_in_no_allocation_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    site = Site(scheduler="srun")
    paths = RunPaths(Path("/nowhere"))
    with pytest.raises(SchedulerError, match="submit slurm/trap-hpc.sbatch"):
        job_request(site, run_id="trap-x", epoch=1, paths=paths, workers=1)
