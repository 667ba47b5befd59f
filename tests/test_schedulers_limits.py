"""What a real Slurm does not take, and how often it is called."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faulty_slurm import RUN, Time, slurm, there
from tests.faulty_slurm import request_ as request_
from tests.faulty_slurm import shims as shims
from tests.faulty_slurm import time as time
from tests.shims import Shims
from tests.slurm_here import SlurmHere, wait_until
from trap_hpc.errors import SchedulerError
from trap_hpc.schedulers.base import JobRequest


def test_what_was_submitted_is_taken_back_when_the_rest_is_refused(
    loopback: SlurmHere, time: Time, request_: JobRequest, shims: Shims
) -> None:
    del loopback
    # As at a site with a limit of jobs: the first array fits, the second does not.
    shims.put(
        "sbatch",
        'if [ "$(wc -l < "$calls")" = 1 ]; then exec "$real" "$@"; fi\n'
        "echo 'sbatch: error: QOSMaxSubmitJobPerUserLimit' >&2; exit 1",
    )
    scheduler = slurm(time, most=2)
    with pytest.raises(SchedulerError, match="fewer --workers"):
        scheduler.submit(request_)
    wait_until(lambda: not there(scheduler))
    assert len(shims.calls("sbatch")) == 2


def test_arrays_are_as_large_as_the_site_allows(
    loopback: SlurmHere, time: Time, request_: JobRequest
) -> None:
    del loopback
    scheduler = slurm(time, most=2)
    arrays = scheduler.submit(request_)
    assert sorted(there(scheduler)) == sorted([arrays[0], arrays[0], arrays[1]])
    told = slurm(time).submit_commands(replace(request_, count=4003))
    sizes = [word for argv in told for word in argv if word.startswith("--array")]
    assert sizes == ["--array=0-2000", "--array=0-2000", "--array=0-0"]


def test_a_refusal_is_told_in_the_schedulers_words_with_what_there_is(
    loopback: SlurmHere, time: Time, request_: JobRequest
) -> None:
    del loopback
    bad = replace(request_, queue="nope")
    for ask in (slurm(time).submit, slurm(time).rehearse):
        with pytest.raises(
            SchedulerError, match=r"invalid partition.*--queue.*short, the default: 2"
        ):
            ask(bad)
    assert time.pauses == []


def test_hosts_without_slurm_say_what_to_do(
    time: Time, request_: JobRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SchedulerError, match="a host from which jobs are submitted"):
        slurm(time).submit(request_)


def test_ends_are_explained_where_there_is_no_accounting(
    loopback: SlurmHere,
    time: Time,
    request_: JobRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    del loopback
    for name in ("sbatch", "squeue", "scancel", "scontrol"):
        (tmp_path / "few").mkdir(exist_ok=True)
        (tmp_path / "few" / name).symlink_to(shutil.which(name) or name)
    monkeypatch.setenv("PATH", str(tmp_path / "few"))
    request_.script.write_text("#!/bin/bash\nexit 69\n")
    scheduler = slurm(time)
    (array,) = scheduler.submit(replace(request_, count=1))
    wait_until(lambda: not there(scheduler))
    (job,) = [job for job in scheduler.jobs([RUN]) if job.array == array]
    assert "it failed with exit code 69" in scheduler.explain(job)


def test_a_thousand_jobs_take_a_handful_of_calls(
    loopback: SlurmHere, time: Time, request_: JobRequest, shims: Shims
) -> None:
    del loopback
    shims.count_all()
    scheduler = slurm(time)
    arrays = scheduler.submit(replace(request_, count=1000))
    assert len(there(scheduler)) == 1000
    scheduler.cancel(arrays)
    wait_until(lambda: not there(scheduler))
    calls = {name: len(shims.calls(name)) for name in ("sbatch", "scancel", "scontrol")}
    assert calls == {"sbatch": 1, "scancel": 1, "scontrol": 1}


def test_many_ids_are_cancelled_a_hundred_at_a_time(
    loopback: SlurmHere, time: Time, shims: Shims
) -> None:
    del loopback
    shims.count_all()
    slurm(time).cancel([str(90000 + n) for n in range(250)] * 2)
    assert [len(call.split()) for call in shims.calls("scancel")] == [100, 100, 50]
