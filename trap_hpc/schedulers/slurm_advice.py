"""What to tell people of Slurm's jobs: why they wait, how they ended, what to do."""

from __future__ import annotations

import re

from trap_hpc.schedulers.base import Job, JobRequest, State
from trap_hpc.schedulers.slurm_reasons import reason_of
from trap_hpc.schedulers.slurm_states import STATES, word

_MEMORY = (
    "it needed more memory than it had; ask for more with --memory, or for fewer "
    "--cores a job"
)

_ENDS = {
    "COMPLETED": "it ended well",
    "CANCELLED": "it was cancelled",
    "TIMEOUT": "it ran until its walltime; ask for a longer --walltime if too little "
    "was done by then",
    "OUT_OF_MEMORY": _MEMORY,
    "NODE_FAIL": "its node failed; what it had is done by others",
    "BOOT_FAIL": "its node did not boot; what it had is done by others",
    "LAUNCH_FAILED": "Slurm could not start it; ask the site's support",
    "RECONFIG_FAIL": "its node could not be set up; ask the site's support",
    "DEADLINE": "its deadline came; look at job_extra_directives",
    "PREEMPTED": "a job of higher priority took its place; what it had is done by "
    "others; name another --queue if that is too often",
    "REVOKED": "another cluster of the federation runs it",
}

_EXIT_CODES = {
    # The shell's, bash(1) "EXIT STATUS".
    126: "the interpreter can't be run on that node",
    127: "the interpreter is not there on that node; the profile's `python` can name "
    "another, `job_script_prologue` can load a module",
}

_SIGNALS = {
    9: "it was killed, perhaps for its memory: ask for more with --memory",
    # Numbers that Slurm makes up: slurm_protocol_defs.h, seen by test on 22.05.
    53: "Slurm could not write its log; is the run directory there on that node?",
    125: _MEMORY,
}

_REFUSALS = (
    # In the words of slurm_errno.c, which are the same in all versions, and in those
    # that sbatch prints before them. The first that fits counts.
    (
        "submit limit|SubmitJob",
        "you have as many jobs as you may: ask for fewer --workers or for more --cores "
        "a job, or wait until others have ended",
        False,
    ),
    (
        "group not permitted|permission denied|not in this partition",
        "name a queue that you may use with --queue (profile: queue)",
        True,
    ),
    (
        "invalid account",
        "name an account that you may charge with --account (profile: account); "
        "`sacctmgr show associations user=$USER` lists yours",
        False,
    ),
    ("invalid qos", "name another QOS in job_extra_directives (--qos=...)", False),
    (
        "invalid partition|partition configuration|partition.* down",
        "name another one with --queue (profile: queue)",
        True,
    ),
    (
        "memory specification can|memory required",
        "no node has so much memory: ask for less with --memory (profile: memory)",
        True,
    ),
    (
        "CPU count|more processors",
        "no node has so many cores: ask for fewer with --cores (profile: cores)",
        True,
    ),
    (
        "node configuration is not available",
        "no node has all that is asked for: look at --cores, --memory and "
        "job_extra_directives",
        True,
    ),
    (
        "time limit",
        "name a --walltime that the queue allows (profile: walltime)",
        True,
    ),
    (
        "job array",
        "set max_array_size in the profile to what the site allows",
        False,
    ),
    (
        "unrecognized option|invalid option",
        "this Slurm does not know it: name it in job_directives_skip, or remove it "
        "from job_extra_directives",
        False,
    ),
    ("invalid --", "correct it on the command line or in the profile", False),
    (
        "feature|gres|generic resource|license|reservation|constraint",
        "look at job_extra_directives in the profile",
        False,
    ),
)


def explain(job: Job, details: str) -> str:
    """Say in a sentence why ``job`` waits or how it ended, and what to do.

    ``details``: what ``sacct`` or ``scontrol`` says of it; may be empty.
    """
    if job.state is State.PENDING:
        return _why_waiting(job)
    if job.state is State.ENDING:
        return f"job {job.id} is ending: its node has not reported all processes gone"
    if job.state is State.RUNNING:
        known = "runs" if word(job.native) in STATES else f"is {job.native!r} for Slurm"
        return f"job {job.id} {known}{f' on {job.node}' if job.node else ''}"
    return _how_ended(job, details)


def _why_waiting(job: Job) -> str:
    reason = reason_of(job.reason or "None")
    if reason is None:
        return f"job {job.id} waits: Slurm says {job.reason}"
    never = "will never start" if reason.hopeless else "waits"
    remedy = f"; {reason.remedy}" if reason.remedy else ""
    given = f" (Slurm: {job.reason})" if job.reason else ""
    return f"job {job.id} {never}: {reason.meaning}{given}{remedy}"


def hopeless(job: Job) -> bool:
    """Whether a job that waits will never start as it is."""
    reason = reason_of(job.reason)
    return job.state is State.PENDING and reason is not None and reason.hopeless


def _how_ended(job: Job, details: str) -> str:
    native = word(job.native)
    where = f" on {job.node}" if job.node else ""
    how = _ENDS.get(native) or _failure(job, details)
    return f"job {job.id}{where}: {how} (Slurm: {native})"


def _failure(job: Job, details: str) -> str:
    """``FAILED``, or a word that we don't know."""
    if job.reason == "BadConstraints":
        return "Slurm did not take it: no node has what it asks for"
    codes = re.search(r"(?:ExitCode=|\|)(\d+):(\d+)", details)
    if codes is None:
        return "it failed; its log says more"
    code, signal = map(int, codes.groups())
    if code > 128 and not signal:  # as shells tell of a signal
        code, signal = 0, code - 128
    if signal:
        other = f"it was ended by signal {signal}; its log says more"
        return _SIGNALS.get(signal, other)
    meaning = _EXIT_CODES.get(code, "its log says more")
    return f"it failed with exit code {code}: {meaning}"


def advise(refusal: str, request: JobRequest, nodes: str) -> str:
    """Say what to do after ``refusal``; ``nodes``: what ``sinfo`` printed."""
    for words, remedy, about_nodes in _REFUSALS:
        if re.search(words, refusal, re.IGNORECASE):
            listed = _partitions(nodes) if about_nodes else ""
            return f"{remedy}{listed}"
    return "`trap-hpc plan` shows the command"


def _partitions(nodes: str) -> str:
    """Tell the partitions there are; empty if ``sinfo`` said nothing."""
    rows = [line.split("|") for line in nodes.splitlines()]
    told = [_partition(*row) for row in rows if len(row) == 6]
    return f". There are: {'; '.join(told)}" if told else ""


def _partition(
    name: str, up: str, limit: str, count: str, cores: str, memory: str
) -> str:
    state = "" if up == "up" else f" ({up})"
    default = ", the default" if name.endswith("*") else ""
    gib = f"{int(memory.rstrip('+')) / 1024:.3g}"
    most = "" if limit == "infinite" else f", for {limit} at most"
    of = f"{count} nodes of {cores} cores and {gib} GiB{most}"
    return f"{name.rstrip('*')}{state}{default}: {of}"
