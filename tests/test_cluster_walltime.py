"""Jobs whose time is over: workers leave before, others take their place."""

from __future__ import annotations

from pathlib import Path

from tests.cluster.launches import SLOW, Launch, jobs_as, none_left, settings
from tests.cluster.slurm import Slurm


def test_a_run_outlives_its_jobs_and_does_nothing_twice(
    slurm: Slurm, long_night: Path
) -> None:
    site = slurm.site("a-minute.toml", cores=1, walltime="00:01:00")
    launch = Launch(slurm, long_night, *settings(SLOW), site=site, workers=1)
    launch.until_said("in the place of", timeout_s=90)
    said = launch.wait(400)
    assert said.code == 0, str(said)
    assert "100 of 100 images are in the catalogue" in said.out
    jobs = launch.session.jobs if launch.session else 0
    assert jobs > 1
    assert none_left(said, f"{jobs} jobs"), str(said)
    assert "whose time is nearly over" in said.err
    assert not jobs_as(slurm, "TIMEOUT", launch.run_id), "they left in time"
    log = launch.paths.log.read_text()
    assert "is lost" not in log
    assert "died" not in log
    batches = list(launch.paths.batches.iterdir())
    assert launch.written == len(batches), "each was done once"
