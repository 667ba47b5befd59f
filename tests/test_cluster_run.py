"""A run over real nodes: the serial catalogue, all nodes at work, nothing left."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cluster.launches import STEADY, Launch, fresh, no_jobs, none_left, settings
from tests.cluster.processes import Said, wait_until
from tests.cluster.skies import assert_same_catalogue
from tests.cluster.slurm import Slurm
from tests.source import ROOT

WORDS = ["--batch-size", "5", *settings(STEADY)]


@pytest.fixture(scope="module")
def done(slurm_of_all: Slurm, night_on_slurm: Path) -> tuple[Launch, Said]:
    """A run with six workers over three hundred images, and what it said."""
    launch = Launch(slurm_of_all, night_on_slurm, *WORDS, workers=6)
    said = launch.wait()
    assert said.code == 0, str(said)
    return launch, said


def test_a_run_on_slurm_makes_the_serial_catalogue(
    slurm: Slurm, done: tuple[Launch, Said], serial_run: Path
) -> None:
    assert_same_catalogue(slurm, serial_run, done[0].directory)


def test_every_node_does_work(done: tuple[Launch, Said]) -> None:
    assert done[0].nodes_that_worked == {"n1", "n2", "n3"}


def test_the_end_says_how_many_jobs_there_were_and_that_none_is_left(
    slurm: Slurm, done: tuple[Launch, Said]
) -> None:
    assert none_left(done[1], "3 jobs")
    assert no_jobs(slurm)


def test_broker_and_credentials_are_gone(
    slurm: Slurm, done: tuple[Launch, Said]
) -> None:
    launch, _ = done
    session = launch.session
    assert session is not None
    assert session.broker_folder
    assert not slurm.hosts["login"].path(session.broker_folder).exists()
    assert not launch.paths.broker.exists()
    assert "redis" not in slurm.hosts["login"].run(["ps", "ax", "-o", "comm"]).out


def test_the_launcher_as_a_batch_job_makes_the_serial_catalogue(
    slurm: Slurm, night_on_slurm: Path, serial_run: Path
) -> None:
    out = fresh(slurm, "batch-run")
    log = slurm.work / "batch.log"
    options = ["--nodes=3", "--cpus-per-task=2", f"--output={log}", "--parsable"]
    script = ROOT / "slurm/trap-hpc.sbatch"
    argv: list[str | Path] = ["sbatch", *options, script, night_on_slurm]
    argv += ["--out", out, *WORDS]
    submitted = slurm.run_as_user(argv)
    assert re.fullmatch(r"\d+\n", submitted.out), str(submitted)
    wait_until(lambda: no_jobs(slurm), "the job has ended", 120)
    assert_same_catalogue(slurm, serial_run, out)
    assert "0 left (asked" in log.read_text()
