"""Jobs whose time is over: workers leave before, others take their place."""

from __future__ import annotations

from pathlib import Path

from tests.cluster.launches import SLOW, Launch, none_left, settings
from tests.cluster.slurm import Slurm


def test_a_run_outlives_its_jobs_whose_workers_leave_before_their_end(
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
    logs = "".join(path.read_text() for path in launch.paths.logs.iterdir())
    assert "takes no more tasks" in logs
    assert "TIME LIMIT" not in logs, "all left before Slurm ended them"
    assert "died" not in launch.paths.log.read_text(), "no attempt was counted"
