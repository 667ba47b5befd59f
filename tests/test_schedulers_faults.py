"""A real Slurm that is out of reach, slow, or takes only a part."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic

import pytest

from tests.shims import Shims
from tests.slurm_here import SlurmHere, wait_until
from trap_hpc.config.job_environment import client_environment
from trap_hpc.errors import SchedulerError
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


def test_a_controller_that_comes_back_is_waited_for(
    loopback: SlurmHere, time: Time, request_: JobRequest
) -> None:
    scheduler = slurm(time, timeout_s=1)
    (array,) = scheduler.submit(request_)
    loopback.end("slurmctld")
    time.asleep = loopback.start_controller
    assert len(scheduler.jobs([RUN])) == 3
    assert time.pauses == [1.0]
    scheduler.cancel([array])
    wait_until(lambda: not there(scheduler))


@pytest.mark.slow
def test_a_submission_outlasts_an_outage_of_a_minute(
    loopback: SlurmHere, time: Time, request_: JobRequest, shims: Shims
) -> None:
    controller = loopback.processes["slurmctld"].pid
    once = f'[ "$(wc -l < "$calls")" != 1 ] || kill {controller}'
    shims.put("sbatch", f'{once}; exec "$real" "$@"')

    def later() -> None:
        if time.slept_s > 60 and loopback.processes["slurmctld"].pid == controller:
            loopback.end("slurmctld")
            loopback.start_controller()

    time.asleep = later
    scheduler = slurm(time, timeout_s=1)
    (array,) = scheduler.submit(request_)
    assert time.slept_s > 60
    assert set(there(scheduler)) == {array}


@pytest.mark.slow
def test_an_outage_that_lasts_is_told_and_is_not_an_empty_queue(
    loopback: SlurmHere, time: Time, request_: JobRequest
) -> None:
    loopback.end("slurmctld")
    with pytest.raises(SchedulerError, match="Unable to contact slurm controller"):
        slurm(time).jobs([RUN])
    scheduler = slurm(time, timeout_s=0.2)
    for ask in (
        lambda: scheduler.cancel(["1"]),
        lambda: scheduler.submit(request_),
        lambda: scheduler.rehearse(request_),
        lambda: scheduler.cluster(),
    ):
        began_s = time.clock()
        with pytest.raises(SchedulerError, match="the scheduler can't be asked"):
            ask()
        assert time.clock() - began_s <= 12


@pytest.mark.parametrize(
    "late",
    ['"$real" "$@" >/dev/null; exec sleep 60', 'exec "$real" "$@" --quiet'],
    ids=["no answer", "no id"],
)
def test_a_submission_that_told_nothing_is_found_by_its_name(
    loopback: SlurmHere, time: Time, request_: JobRequest, shims: Shims, late: str
) -> None:
    del loopback
    shims.put("sbatch", late)
    scheduler = slurm(time, timeout_s=1)
    (array,) = scheduler.submit(request_)
    assert set(there(scheduler)) == {array}
    assert len(shims.calls("sbatch")) == 1


def test_a_submission_that_arrives_late_is_not_doubled(
    loopback: SlurmHere, time: Time, request_: JobRequest, shims: Shims
) -> None:
    del loopback
    # The first call is on its way while the second is made, and arrives before it.
    shims.put(
        "sbatch",
        'if [ "$(wc -l < "$calls")" = 1 ]; then exec sleep 60; fi\n'
        '"$real" "$@" >/dev/null; exec "$real" "$@"',
    )
    scheduler = slurm(time, timeout_s=1)
    (array,) = scheduler.submit(request_)
    wait_until(lambda: set(there(scheduler)) == {array})
    assert len(shims.calls("sbatch")) == 2


def test_a_submission_that_hangs_for_good_ends_in_a_sentence(
    loopback: SlurmHere, time: Time, request_: JobRequest, shims: Shims
) -> None:
    del loopback
    shims.put("sbatch", "exec sleep 60")
    with pytest.raises(SchedulerError, match=r"no jobs could.* no answer within 1 s"):
        slurm(time, timeout_s=1).submit(request_)


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
