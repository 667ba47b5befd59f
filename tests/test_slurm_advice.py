"""Slurm's words, and ours: why a job waits, how it ended, what to do."""

from __future__ import annotations

import pytest

from tests.slurm_recorded import recorded
from tests.test_slurm_commands import REQUEST
from trap_hpc.schedulers.base import Job
from trap_hpc.schedulers.slurm import Slurm

NODES = recorded("nodes").out
JOBS = {
    job.id: job
    for name in ("jobs-ended", "jobs-waiting")
    for job in Slurm().parse_jobs(recorded(name).out)
}


def waiting(reason: str) -> Job:
    (job,) = Slurm().parse_jobs(f"7_1|PENDING|{reason}|N/A|1:00:00||trap-x\n")
    return job


@pytest.mark.parametrize(
    ("number", "words", "hopeless"),
    [
        ("16", "job 16 will never start: no node of the partition has what", True),
        ("17", "job 17 will never start: its walltime is over the partition's", True),
        ("18", "job 18 waits: the partition is down", False),
        ("19", "job 19 waits: it was put on hold by its owner", False),
        ("20", "job 20 waits: its earliest start has not come yet", False),
        ("21", "job 21 will never start: it waits for a job that will never", True),
        ("23", "job 23 waits: it is next, and waits for nodes to get free", False),
        ("24_0", "job 24_0 waits: jobs of higher priority are before it", False),
        ("22", "job 22 runs on n[1-3]", False),
    ],
)
def test_jobs_of_a_real_slurm_are_explained(
    number: str, words: str, hopeless: bool
) -> None:
    assert Slurm().explain(JOBS[number], "").startswith(words)
    assert Slurm().hopeless(JOBS[number]) is hopeless


@pytest.mark.parametrize(
    ("reason", "words", "hopeless"),
    [
        ("None", "has not looked at it yet", False),
        ("ReqNodeNotAvail, UnavailableNodes:n[1-3]", "down, drained or res", False),
        ("QOSMaxJobsPerUserLimit", "limit of its QOS is reached", False),
        ("QOSGrpCpuLimit", "limit of its QOS is reached", False),
        ("QOSMaxCpuPerUserLimit", "limit of its QOS is reached", False),
        ("AssocGrpCpuLimit", "limit of its account is reached", False),
        ("AssocGrpCPUMinutesLimit", "computing time of its account", False),
        ("AssocGrpBillingMinutes", "computing time of its account", False),
        ("QOSMaxCpuPerJobLimit", "it alone is over a limit of its QOS", True),
        ("QOSMaxWallDurationPerJobLimit", "it alone is over a limit", True),
        ("AssocMaxWallDurationPerJobLimit", "it alone is over a limit of it", True),
        ("QOSMinCpuNotSatisfied", "asks for less than its QOS must have", True),
        ("MaxMemPerLimit", "more memory than it may", True),
        ("InvalidAccount", "--account", True),
        ("InvalidQOS", "--qos", True),
        ("PartitionNodeLimit", "more nodes than the partition gives", True),
        ("BadConstraints", "no node has what it asks for", True),
        ("Licenses", "licence", False),
        ("JobHeldAdmin", "ask the site's support why", False),
        ("launch_failed_requeued_held", "put it on hold", False),
        ("user_env_retrieval_failed_requeued_held", "put it on hold", False),
        ("Moonphase", "Slurm says Moonphase", False),
    ],
)
def test_reasons_to_wait_are_explained(reason: str, words: str, hopeless: bool) -> None:
    said = Slurm().explain(waiting(reason), "")
    assert words in said
    assert said.startswith("job 7_1 will never start" if hopeless else "job 7_1 waits")
    assert Slurm().hopeless(waiting(reason)) is hopeless


@pytest.mark.parametrize(
    ("number", "details", "words"),
    [
        ("6", "", "ran until its walltime; ask for a longer --walltime"),
        ("7", "", "it ended well"),
        ("13_0", "", "it was cancelled"),
        ("15", "", "its node failed; what it had is done by others"),
        ("1", "", "no node has what it asks for"),
        ("8", "show-failed", "failed with exit code 78: its log says more"),
        ("9", "show-killed", "it was killed, perhaps for its memory"),
        ("10", "show-no-interpreter", "the interpreter is not there on that node"),
        ("11", "show-memory", "perhaps for its memory: ask for more with --memory"),
        ("12", "show-no-folder", "is the run directory there on that node?"),
        ("8", "", "it failed; its log says more"),
    ],
)
def test_ends_are_explained(number: str, details: str, words: str) -> None:
    said = Slurm().explain(JOBS[number], recorded(details).out if details else "")
    assert words in said
    assert f"job {number}" in said
    assert f"Slurm: {JOBS[number].native}" in said


@pytest.mark.parametrize(
    ("native", "details", "words"),
    [
        ("OUT_OF_MEMORY", "", "more memory than it had"),
        ("FAILED", "FAILED|0:125\n", "more memory than it had"),
        ("FAILED", "FAILED|137:0\n", "perhaps for its memory"),
        ("FAILED", "FAILED|1:0\n", "exit code 1"),
        ("PREEMPTED", "", "higher priority"),
        ("BOOT_FAIL", "", "did not boot"),
        ("DEADLINE", "", "deadline"),
        ("CANCELLED by 1234", "", "it was cancelled"),
    ],
)
def test_ends_that_were_not_recorded_are_explained(
    native: str, details: str, words: str
) -> None:
    (job,) = Slurm().parse_jobs(f"7|{native}|None|N/A|0:00|n1|trap-x\n")
    assert words in Slurm().explain(job, details)


def test_accounting_is_asked_first_and_only_for_what_failed() -> None:
    asked = [argv[0] for argv in Slurm().details(JOBS["8"])]
    assert asked == ["sacct", "scontrol"]
    assert not Slurm().details(JOBS["7"])
    assert not Slurm().details(JOBS["16"])


@pytest.mark.parametrize(
    ("name", "words", "nodes"),
    [
        ("partition", "name another one with --queue", True),
        ("memory", "ask for less with --memory", True),
        ("feature", "look at job_extra_directives", False),
        ("gres", "look at job_extra_directives", False),
        ("licence", "look at job_extra_directives", False),
        ("reservation", "look at job_extra_directives", False),
        ("array", "set max_array_size", False),
        ("option", "name it in job_directives_skip", False),
        ("time", "correct it on the command line", False),
    ],
)
def test_a_refusal_says_what_to_do(name: str, words: str, nodes: bool) -> None:
    refusal = recorded(f"refused-{name}").err
    said = Slurm().advise(refusal, REQUEST, NODES)
    assert words in said
    there = "short, the default: 3 nodes of 4 cores and 3.91 GiB, for 1:00:00 at most"
    assert (there in said) is nodes
    assert ("closed (down)" in said) is nodes
    assert "infinite" not in said


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (
            "Invalid account or account/partition combination specified",
            "sacctmgr show associations",
        ),
        (
            "Job violates accounting/QOS policy (job submit limit, user's size and/or "
            "time limits)",
            "fewer --workers",
        ),
        ("QOSMaxSubmitJobPerUserLimit", "fewer --workers"),
        ("Invalid qos specification", "--qos"),
        ("CPU count per node can not be satisfied", "fewer with --cores"),
        ("User's group not permitted to use this partition", "--queue"),
        ("Requested time limit is invalid (missing or exceeds some limit)", "--wallt"),
        ("the moon is full", "`trap-hpc plan` shows the command"),
    ],
)
def test_other_refusals_say_what_to_do(refusal: str, words: str) -> None:
    said = f"sbatch: error: Batch job submission failed: {refusal}"
    assert words in Slurm().advise(said, REQUEST, "")


def test_nodes_that_cannot_be_listed_are_not_told() -> None:
    assert "There are" not in Slurm().advise(
        recorded("refused-memory").err, REQUEST, ""
    )
    odd = "big|up|1-00:00:00|3|4+|256000+\n"
    assert "250 GiB" in Slurm().advise(recorded("refused-memory").err, REQUEST, odd)
