"""A real Slurm that is out of reach, or whose answer gets lost."""

from __future__ import annotations

import pytest

from tests.faulty_slurm import RUN, Time, slurm, there
from tests.faulty_slurm import request_ as request_
from tests.faulty_slurm import shims as shims
from tests.faulty_slurm import time as time
from tests.shims import Shims
from tests.slurm_here import SlurmHere, wait_until
from trap_hpc.errors import SchedulerError
from trap_hpc.schedulers.base import JobRequest


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
