"""Launchers that go on by themselves on a real Slurm: detached, and as a batch job."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.cluster.launches import STEADY, fresh, no_jobs, settings
from tests.cluster.processes import wait_until
from tests.cluster.skies import assert_same_catalogue
from tests.cluster.slurm import TRAP_HPC, Slurm
from trap_hpc.paths import RunPaths
from trap_hpc.run.overview import overview

WORDS = ["--batch-size", "5", *settings(STEADY)]


@pytest.fixture
def launcher_in_a_job(slurm: Slurm) -> Path:
    """A site whose login nodes end what runs for long."""
    return slurm.site("launcher-in-a-job.toml", launcher="job")


def test_a_launcher_in_a_job_makes_the_serial_catalogue(
    slurm: Slurm, launcher_in_a_job: Path, night_on_slurm: Path, serial_run: Path
) -> None:
    out = fresh(slurm, "launcher-job")
    site = ("--site", launcher_in_a_job, "--workers", "6")
    said = slurm.trap_hpc("run", night_on_slurm, "--out", out, *site, *WORDS)
    assert said.code == 0, str(said)
    job = re.search(r"its launcher is job (\d+)", said.out)
    assert job, str(said)
    wait_until(lambda: no_jobs(slurm), "the job has ended", 120)
    (log,) = RunPaths(out).logs.glob(f"{job[1]}_0-*.log")
    assert "0 left (asked" in log.read_text()
    assert_same_catalogue(slurm, serial_run, out)


def test_a_launcher_in_a_job_is_taken_back_while_it_waits(
    slurm: Slurm, launcher_in_a_job: Path, night_on_slurm: Path
) -> None:
    slurm.drain()
    out = fresh(slurm, "launcher-job")
    words = ("--site", launcher_in_a_job, "--workers", "6", "--json")
    said = slurm.trap_hpc("run", night_on_slurm, "--out", out, *words)
    assert json.loads(said.out)["job"].isdigit()
    assert len(slurm.squeue()) == 1
    told = slurm.trap_hpc("status", out, "--ask").out
    assert "launcher  waits as a job of slurm named trap-" in told
    assert "asked     1 job: 1 pending" in told
    again = slurm.trap_hpc("resume", out)
    assert again.code == 1
    assert "takes it back" in again.err
    stopped = slurm.trap_hpc("stop", out, host="login2")
    assert "was taken back: 0 jobs left (asked squeue)" in stopped.out
    assert no_jobs(slurm)
    assert overview(out).waiting is None


def test_a_detached_run_is_watched_from_another_login_host(
    slurm: Slurm, night_on_slurm: Path, serial_run: Path
) -> None:
    out = fresh(slurm, "detached")
    words = ("--workers", "6", "--detach", *WORDS)
    site = ("--site", slurm.site())
    begun = slurm.trap_hpc("run", night_on_slurm, "--out", out, *site, *words)
    assert begun.code == 0, str(begun)
    assert "it has begun" in begun.out
    watched = slurm.run_as_user(
        [*TRAP_HPC, "attach", out], host="login2", timeout_s=120
    )
    assert watched.code == 0, str(watched)
    assert "3 jobs submitted, 0 left (asked squeue)" in watched.err
    assert "of 300 images are in the catalogue" in watched.out
    assert no_jobs(slurm)
    printed = RunPaths(out).launcher_log
    wait_until(lambda: "export" in printed.read_text(), "the launcher has ended")
    assert_same_catalogue(slurm, serial_run, out)


def test_a_detached_run_that_slurm_refuses_is_told_at_once(
    slurm: Slurm, night_on_slurm: Path
) -> None:
    out = fresh(slurm, "refused")
    words = ("--queue", "nowhere", "--detach")
    site = ("--site", slurm.site())
    said = slurm.trap_hpc("run", night_on_slurm, "--out", out, *site, *words)
    assert said.code == 1
    assert "invalid partition" in said.err
    assert "trap-hpc resume" in said.err
    assert overview(out).alive is not True


@pytest.mark.parametrize("launcher", ["login", "job"])
def test_a_plan_has_the_script_the_commands_and_what_slurm_says(
    slurm: Slurm, night_on_slurm: Path, launcher: str
) -> None:
    out = fresh(slurm, "planned")
    site = slurm.site(f"planned-{launcher}.toml", launcher=launcher)
    words = ("--site", site, "--workers", "6", "--walltime", "0:10:00")
    said = slurm.trap_hpc("plan", night_on_slurm, "--out", out, *words)
    assert said.code == 0, str(said)
    assert re.search(r'^walltime +"00:10:00" +command line$', said.out, re.MULTILINE)
    assert "jobs           3, each with 2 cores and 2 workers" in said.out
    assert f"export PYTHONPATH={out}/code.zip" in said.out
    assert "sbatch --parsable" in said.out
    assert "the scheduler would take it: sbatch: Job" in said.out
    assert ("--nodes=3" in said.out) == (launcher == "job")
    assert not out.exists()
    assert no_jobs(slurm)


def test_a_plan_says_that_slurm_would_refuse(
    slurm: Slurm, night_on_slurm: Path
) -> None:
    words = ("--site", slurm.site(), "--queue", "nowhere", "--json")
    said = slurm.trap_hpc("plan", night_on_slurm, *words)
    preview = json.loads(said.out)["preview"]
    assert not preview["accepted"]
    assert "invalid partition" in preview["answer"]
