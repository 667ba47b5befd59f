"""What Slurm is asked, as a whole, and what its answers mean: as one gave them."""

from __future__ import annotations

import shlex
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.goldens import Golden
from tests.slurm_recorded import REFUSED, recorded
from trap_hpc.errors import SchedulerError, UsageError
from trap_hpc.schedulers.base import JobRequest, State
from trap_hpc.schedulers.slurm import Slurm
from trap_hpc.schedulers.slurm_states import STATES, state_of

RUN = Path("/scratch/you/runs/trap-k3m9x2pq")
REQUEST = JobRequest(
    run_id=RUN.name,
    epoch=1,
    script=RUN / "job.sh",
    log=RUN / "logs",
    count=16,
    cores=4,
)
FULL = replace(
    REQUEST,
    memory="8GB",
    walltime="04:00:00",
    queue="short",
    account="lofar",
    extra_directives=("--constraint=haswell", "#SBATCH -C 'rome|milan'"),
    directives_skip=("--mem", "-n"),
)


def lines(argv: list[str]) -> str:
    """One option a line, as a shell would take it."""
    return " \\\n    ".join(shlex.quote(word) for word in argv) + "\n"


@pytest.mark.parametrize(("name", "request_"), [("plain", REQUEST), ("full", FULL)])
def test_all_directives_are_on_the_command_line(
    name: str, request_: JobRequest, golden: Golden
) -> None:
    golden(f"sbatch-{name}.txt", lines([*Slurm().submit(request_, 16)]))


def test_a_rehearsal_needs_no_script(golden: Golden) -> None:
    golden("sbatch-rehearsal.txt", lines([*Slurm().rehearse(REQUEST, 16)]))


def test_all_runs_are_asked_for_at_once_and_all_jobs_cancelled_at_once() -> None:
    argv = [*Slurm().jobs(["trap-a", "trap-b"])]
    assert shlex.join(argv) == (
        "squeue --me --noheader --array --states=all --name=trap-a,trap-b "
        "'--format=%i|%T|%r|%e|%L|%N|%j'"
    )
    assert [*Slurm().cancel(["12", "13_4"])] == ["scancel", "12", "13_4"]


def test_a_profile_cannot_hide_jobs_from_us() -> None:
    request = replace(
        REQUEST,
        extra_directives=("--job-name=other", "--array=0-9"),
        directives_skip=("--job-name", "--array", "--parsable"),
    )
    argv = list(Slurm().submit(request, 3))
    assert argv.index("--job-name=other") < argv.index(f"--job-name={RUN.name}")
    assert argv.index("--array=0-9") < argv.index("--array=0-2")
    assert "--parsable" in argv


def test_a_percent_sign_in_a_path_is_no_pattern() -> None:
    argv = Slurm().submit(replace(REQUEST, log=Path("/data/50%j/logs")), 1)
    assert "--output=/data/50%%j/logs/%A_%a-%N.log" in argv


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"log": Path("/data/a\\b")}, "backslash"),
        ({"extra_directives": ("--comment='open",)}, "job_extra_directives"),
    ],
)
def test_what_cannot_be_written_is_refused(
    change: dict[str, object], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        Slurm().submit(replace(REQUEST, **change), 1)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("out", "number"),
    [
        (recorded("submit-array").out, "13"),
        ("12345\n", "12345"),
        ("12345;cluster\n", "12345"),
        ("Submitted batch job 12345\n", "12345"),
        ("Submitted batch job 12345 on cluster big\n", "12345"),
        ("*** Welcome to Big, 2 jobs of yours run ***\n2026\n\n12345\n", "12345"),
        ("12345\nThank you for saving energy.\n", "12345"),
        ("sbatch: lua: 3 hints\n", ""),
        ("", ""),
    ],
)
def test_the_id_is_found_among_what_sites_print(out: str, number: str) -> None:
    assert Slurm().parse_submit(out) == number


def test_limits_are_read() -> None:
    limits = Slurm().parse_limits(recorded("limits").out)
    assert limits.cluster == "loop"
    assert limits.max_array_size == 2001


def test_a_cluster_without_a_name_is_refused() -> None:
    with pytest.raises(SchedulerError, match="names no cluster"):
        Slurm().parse_limits("ClusterName = \nMaxArraySize = 7\n")


def test_jobs_that_ended_are_told_apart() -> None:
    jobs = Slurm().parse_jobs(recorded("jobs-ended").out)
    assert {job.state for job in jobs} == {State.ENDED}
    assert Counter(job.native for job in jobs) == {
        "COMPLETED": 1,
        "CANCELLED": 2,
        "FAILED": 6,
        "NODE_FAIL": 1,
        "TIMEOUT": 1,
    }
    first = jobs[0]
    assert (first.id, first.array, first.node) == ("13_1", "13", "n2")
    assert first.ends.startswith("20")


def test_jobs_that_wait_are_left() -> None:
    jobs = Slurm().parse_jobs(recorded("jobs-waiting").out)
    left = {job.id: job for job in jobs if job.state.left}
    assert {job.array for job in left.values()} == {
        *("16", "17", "18", "19", "20", "21", "22", "23", "24")
    }
    assert [left[f"24_{n}"].reason for n in range(3)] == ["Priority"] * 3
    assert left["22"].state is State.RUNNING
    assert left["22"].reason == left["16"].ends == left["16"].node == ""


def test_no_jobs_and_other_lines_are_no_jobs() -> None:
    assert Slurm().parse_jobs(recorded("jobs-none").out) == []
    assert Slurm().parse_jobs("CLUSTER: big\n\nslurm_load_jobs error\n") == []


@pytest.mark.parametrize("name", ["squeue", "sbatch", "scancel"])
def test_a_controller_that_is_down_was_not_reached(name: str) -> None:
    answer = recorded(f"down-{name}")
    assert not answer.good
    assert Slurm().unreachable(answer.err)
    assert not Slurm().unknown(answer.err)


@pytest.mark.parametrize("name", ["jobs-unknown", "show-unknown"])
def test_an_unknown_id_is_no_outage(name: str) -> None:
    answer = recorded(name)
    assert not answer.good
    assert Slurm().unknown(answer.err)
    assert not Slurm().unreachable(answer.err)


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_is_no_outage(name: str) -> None:
    answer = recorded(f"refused-{name}")
    assert not answer.good
    assert not Slurm().parse_submit(answer.out)
    assert not Slurm().unreachable(answer.err)


@pytest.mark.parametrize(
    ("native", "state"),
    [
        *STATES.items(),
        ("CANCELLED by 1234", State.ENDED),
        ("CANCELLED+", State.ENDED),
    ],
)
def test_every_word_for_a_state_is_known(native: str, state: State) -> None:
    assert state_of(native) is state


def test_an_unknown_word_is_a_job_that_is_left(
    caplog: pytest.LogCaptureFixture,
) -> None:
    (job,) = Slurm().parse_jobs("7|BEWILDERED|None|N/A|0:00|n1|trap-x\n")
    assert job.state.left
    assert "BEWILDERED" in caplog.text
    assert "BEWILDERED" in Slurm().explain(job, "")


@pytest.mark.parametrize(
    ("text", "left_s"),
    [
        ("0:30", 30.0),
        ("12:05", 725.0),
        ("1:00:00", 3600.0),
        ("2-01:00:00", 176400.0),
        ("UNLIMITED", None),
        ("NOT_SET", None),
        ("INVALID", None),
        ("", None),
    ],
)
def test_how_long_a_job_may_still_run_is_read(text: str, left_s: float | None) -> None:
    (job,) = Slurm().parse_jobs(f"7|RUNNING|None|N/A|{text}|n1|trap-x\n")
    assert job.left_s == left_s
