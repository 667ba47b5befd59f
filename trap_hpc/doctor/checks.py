"""Judging the findings: what is good, what is not, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from trap_hpc.doctor.findings import Findings

SLOW_START_S = 600.0
CLOCK_OFF_S = 60.0
"""Our own work doesn't mind clocks, but people who read logs do."""
MIB = 2**20


class Verdict(Enum):
    """How a check went."""

    GOOD = "good"
    NOTE = "note"
    BAD = "bad"
    UNKNOWN = "not reached"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the table."""

    what: str
    verdict: Verdict
    found: str
    advice: str = ""


def _submission(f: Findings) -> Check:
    what = "submission accepted"
    if f.submitted_s is None:
        return Check(what, Verdict.BAD, f.trouble or "the session did not come up")
    return Check(what, Verdict.GOOD, f"in {f.submitted_s:.1f} s")


def _start(f: Findings) -> Check:
    what = "the job starts"
    if f.submitted_s is None:
        return Check(what, Verdict.UNKNOWN, "")
    if f.running_s is None:
        state = f.job.native if f.job else "unknown to the scheduler"
        found = f"not within {f.timeout_s:.0f} s; it is {state}"
        advice = f.why or "look at the job's log, or wait longer with --timeout"
        return Check(what, Verdict.BAD, found, advice)
    verdict = Verdict.NOTE if f.running_s > SLOW_START_S else Verdict.GOOD
    node = f" on {f.call.node}" if f.call else ""
    return Check(what, verdict, f"{f.running_s:.1f} s after submission{node}")


def _code(f: Findings) -> Check:
    what = "same Python and same code"
    if f.call is None:
        return Check(what, Verdict.UNKNOWN, "")
    if f.call.identity != f.identity:
        found = f"{f.call.identity or 'none'} there, {f.identity} here"
        advice = f.call.message or "name the right interpreter (profile: python)"
        return Check(what, Verdict.BAD, found, advice)
    return Check(what, Verdict.GOOD, f"{f.call.identity}, {f.call.python}")


def _directory(f: Findings) -> Check:
    what = "run directory seen from both sides"
    if f.call is not None:
        return Check(what, Verdict.GOOD, "the node reads ours, and we read the node's")
    if f.running_s is None and (f.job is None or f.job.state.value == "pending"):
        return Check(what, Verdict.UNKNOWN, "")
    return Check(
        what,
        Verdict.BAD,
        "the job ran, but nothing it wrote is seen here",
        "choose a run directory (--out) on a file system that the nodes share, and "
        "look at the job's log for what the node said",
    )


def _addresses(f: Findings) -> Check:
    what = "the node reaches the launcher"
    if f.call is None or not f.call.tries:
        return Check(what, Verdict.UNKNOWN, "")
    tries = ", ".join(f"{t.address} {t.error or 'answers'}" for t in f.call.tries)
    if not any(not t.error for t in f.call.tries):
        return Check(
            what,
            Verdict.BAD,
            tries,
            "name the interface by which nodes reach this host (profile: interface = "
            "...), or let the launcher be a job itself (launcher = 'job')",
        )
    return Check(what, Verdict.GOOD, tries)


def _encryption(f: Findings) -> Check:
    what = "encrypted connection"
    if f.call is None or not f.call.address:
        return Check(what, Verdict.UNKNOWN, "")
    if f.call.encrypted:
        return Check(what, Verdict.GOOD, f"mutual TLS, {f.broker}".rstrip(", "))
    remark = f.broker_remark or "the broker has no TLS"
    advice = "a redis-server with TLS on PATH (or broker_binary) is used by itself"
    return Check(what, Verdict.NOTE, f"no: {remark}", advice)


def _work(f: Findings) -> Check:
    what = "the worker reports for work"
    if f.connected_s is None:
        if f.call and f.call.tries and not f.call.address:
            return Check(what, Verdict.UNKNOWN, "")
        found = f.call.message if f.call else ""
        verdict = Verdict.BAD if f.call else Verdict.UNKNOWN
        return Check(what, verdict, found or ("it did not" if f.call else ""))
    return Check(what, Verdict.GOOD, f"{f.connected_s:.1f} s after the job's start")


def _clock(f: Findings) -> Check:
    what = "clocks agree"
    if f.clock_ahead_s is None:
        return Check(what, Verdict.UNKNOWN, "")
    sense = "ahead of" if f.clock_ahead_s > 0 else "behind"
    found = f"the node's is {abs(f.clock_ahead_s):.1f} s {sense} ours"
    if abs(f.clock_ahead_s) > CLOCK_OFF_S:
        advice = "runs don't mind, but tell the administrators: logs and TLS may"
        return Check(what, Verdict.NOTE, found, advice)
    return Check(what, Verdict.GOOD, found)


def _walltime(f: Findings) -> Check:
    what = "the job's end is known"
    if f.call is None:
        return Check(what, Verdict.UNKNOWN, "")
    if f.call.ends_s is not None:
        return Check(what, Verdict.GOOD, "the worker is told by the scheduler")
    if f.job and f.job.ends:
        return Check(what, Verdict.GOOD, f"the scheduler says {f.job.ends}")
    advice = "set walltime in the profile"
    return Check(what, Verdict.NOTE, "the scheduler does not say", advice)


def _resources(f: Findings) -> Check:
    what = "cores and memory given"
    if f.call is None:
        return Check(what, Verdict.UNKNOWN, "")
    memory = f.call.memory_bytes
    found = f"{f.call.cores} of {f.cores} cores"
    found += f", {memory / MIB:.0f} MiB" if memory else ", memory not said"
    if f.call.cores < f.cores:
        advice = "ask as this site wants it (profile: job_extra_directives)"
        return Check(what, Verdict.BAD, found, advice)
    if memory and memory < f.memory_bytes:
        return Check(what, Verdict.BAD, found, "more memory was asked for: see memory")
    return Check(what, Verdict.GOOD, found)


def _nothing_left(f: Findings) -> Check:
    what = "nothing is left"
    if f.submitted_s is None and f.left is None:
        return Check(what, Verdict.UNKNOWN, "")
    if f.left == 0:
        return Check(what, Verdict.GOOD, f"0 jobs left (asked {f.asked})")
    found = "the scheduler did not answer" if f.left is None else f"{f.left} jobs left"
    return Check(what, Verdict.BAD, found, "`trap-hpc reap` tries again")


CHECKS: Sequence[Callable[[Findings], Check]] = (
    _submission,
    _start,
    _code,
    _directory,
    _addresses,
    _encryption,
    _work,
    _clock,
    _walltime,
    _resources,
    _nothing_left,
)
"""In the order in which things happen: the first bad one is the one to mend."""


def judge(findings: Findings) -> list[Check]:
    """Judge all that was found."""
    return [check(findings) for check in CHECKS]
