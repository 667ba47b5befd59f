"""Judging what a site's tiny job found out."""

from __future__ import annotations

from dataclasses import replace

from trap_hpc.doctor.checks import Check, Verdict, judge
from trap_hpc.doctor.findings import Findings
from trap_hpc.schedulers.base import Job, State
from trap_hpc.worker.rollcall import RollCall, Try

CALL = RollCall(
    state="connected",
    job="12_0",
    node="n1",
    pid=77,
    epoch=1,
    python="/opt/python3",
    identity="0123456789abcdef",
    clock_s=1.8e9,
    cores=2,
    memory_bytes=4 * 2**30,
    ends_s=1.8e9 + 600,
    tries=(Try("10.0.0.1", "", 0.01), Try("192.0.2.1", "timed out after 5 s", 5.0)),
    address="10.0.0.1",
    encrypted=True,
)
GOOD = Findings(
    site="here",
    identity="0123456789abcdef",
    python="/opt/python3",
    cores=2,
    timeout_s=60,
    encrypted=True,
    broker="redis-server 7.0",
    submitted_s=0.2,
    running_s=1.5,
    connected_s=2.5,
    job=Job(id="12_0", name="trap-x", state=State.RUNNING, native="RUNNING"),
    call=CALL,
    clock_ahead_s=-0.1,
    left=0,
    asked="squeue",
)


def check(findings: Findings, what: str) -> Check:
    (hit,) = [check for check in judge(findings) if what in check.what]
    return hit


def test_a_good_site_has_no_fault() -> None:
    assert {each.verdict for each in judge(GOOD)} == {Verdict.GOOD}


def test_a_refused_submission_leaves_all_else_open() -> None:
    refused = Findings(
        site="here",
        identity="0",
        python="p",
        cores=1,
        timeout_s=60,
        trouble="sbatch: error: invalid account",
    )
    first, *others = judge(refused)
    assert first.verdict is Verdict.BAD
    assert "invalid account" in first.found
    assert {each.verdict for each in others} == {Verdict.UNKNOWN}


def test_a_job_that_waits_is_explained() -> None:
    pending = Job(id="1", name="x", state=State.PENDING, native="PENDING")
    waits = replace(
        GOOD, running_s=None, connected_s=None, call=None, job=pending, why="Priority"
    )
    start = check(waits, "job starts")
    assert start.verdict is Verdict.BAD
    assert "PENDING" in start.found
    assert start.advice == "Priority"
    assert check(waits, "run directory").verdict is Verdict.UNKNOWN


def test_other_code_is_told_with_both_identities() -> None:
    other = replace(GOOD, call=replace(CALL, identity="ffff", state="refused"))
    code = check(other, "same code")
    assert code.verdict is Verdict.BAD
    assert "ffff there, 0123456789abcdef here" in code.found


def test_every_address_is_shown_and_none_answering_is_a_fault() -> None:
    assert "timed out" in check(GOOD, "reaches the launcher").found
    tries = (Try("192.0.2.1", "no route", 0.1),)
    cut = replace(GOOD, call=replace(CALL, tries=tries, address=""), connected_s=None)
    reach = check(cut, "reaches the launcher")
    assert reach.verdict is Verdict.BAD
    assert "192.0.2.1 no route" in reach.found
    assert "interface" in reach.advice


def test_a_job_that_ran_but_wrote_nothing_here_has_no_shared_directory() -> None:
    alone = replace(GOOD, call=None, connected_s=None)
    assert check(alone, "run directory").verdict is Verdict.BAD


def test_clear_text_and_wrong_clocks_are_notes() -> None:
    worse = replace(GOOD, call=replace(CALL, encrypted=False), clock_ahead_s=3600.0)
    assert check(worse, "encrypted").verdict is Verdict.NOTE
    assert check(worse, "clocks").verdict is Verdict.NOTE


def test_fewer_cores_than_asked_for_are_a_fault() -> None:
    less = replace(GOOD, call=replace(CALL, cores=1))
    assert check(less, "cores").verdict is Verdict.BAD


def test_jobs_left_are_a_fault() -> None:
    assert check(replace(GOOD, left=1), "nothing is left").verdict is Verdict.BAD
    unasked = check(replace(GOOD, left=None), "nothing is left")
    assert "did not answer" in unasked.found
