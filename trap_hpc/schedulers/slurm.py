"""Slurm: its commands and what they answer.

The manual pages are those of Slurm 22.05, https://slurm.schedmd.com/archive/; what is
said of other versions is said where it matters.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from trap_hpc.config.forms import memory_bytes
from trap_hpc.errors import SchedulerError, UsageError
from trap_hpc.schedulers import slurm_advice
from trap_hpc.schedulers.base import Job, JobRequest, Limits
from trap_hpc.schedulers.slurm_states import ended_badly, state_of

COLUMNS = "%i|%T|%r|%e|%L|%N|%j"
WARNING_S = 60
"""A job hears of its end so long before; Slurm may be a minute early (sbatch.1)."""

_ID = re.compile(r"(?:Submitted batch job )?(\d+)(?:;\S+| on cluster \S+)?")
_SHORT = {
    "-A": "--account",
    "-c": "--cpus-per-task",
    "-D": "--chdir",
    "-N": "--nodes",
    "-n": "--ntasks",
    "-p": "--partition",
    "-t": "--time",
}

_UNREACHABLE = (
    "Unable to contact slurm controller",
    "Socket timed out",
    "Connection refused",
    "Zero Bytes were transmitted or received",
    "Transport endpoint is not connected",
    "Unable to establish controller machine",
    "Resource temporarily unavailable",
    "Slurm backup controller in standby mode",
    "Message receive failure",
    "Message send failure",
    "Slurm temporarily unable to accept job, sleeping and retrying",
)
_UNKNOWN = ("Invalid job id specified", "already completing or completed")


class Slurm:
    """The `Commands` of Slurm."""

    name = "slurm"
    asked = "squeue"

    def limits(self) -> Sequence[str]:
        """Return the command that prints the controller's settings."""
        return ["scontrol", "show", "config"]

    def parse_limits(self, out: str) -> Limits:
        """Read its lines ``Name = value``."""
        settings = dict(re.findall(r"^(\w+) *= *(\S*)", out, re.MULTILINE))
        if not settings.get("ClusterName"):
            raise SchedulerError("`scontrol show config` names no cluster")
        most = settings.get("MaxArraySize", "")
        return Limits(
            cluster=settings["ClusterName"],
            # The default of slurm.conf(5), which `scontrol` always prints.
            max_array_size=int(most) if most.isdecimal() else 1001,
        )

    def submit(self, request: JobRequest, count: int) -> Sequence[str]:
        """Return the whole command: variables of a site don't override options of it.

        What finds the jobs again comes last, so that a profile can't change it either.
        """
        return [
            "sbatch",
            "--parsable",
            *_wanted(request),
            *_extra(request),
            f"--job-name={request.run_id}",
            f"--array=0-{count - 1}",
            f"--output={output_pattern(request.log, '%A_%a-%N.log')}",
            str(request.script),
        ]

    def rehearse(self, request: JobRequest, count: int) -> Sequence[str]:
        """Return the same, with a script that needs no file."""
        *options, _ = self.submit(request, count)
        return [*options, "--test-only", "--wrap=true"]

    def parse_submit(self, out: str) -> str:
        """Read the last line that is an id: sites print banners before it."""
        matches = [_ID.fullmatch(line.strip()) for line in out.splitlines()]
        return next((m[1] for m in reversed(matches) if m is not None), "")

    def jobs(self, run_ids: Sequence[str]) -> Sequence[str]:
        """Return one call for all: array tasks one by one, ended jobs too."""
        names = ",".join(run_ids)
        own = ["squeue", "--me", "--noheader", "--array", "--states=all"]
        return [*own, f"--name={names}", f"--format={COLUMNS}"]

    def parse_jobs(self, out: str) -> Sequence[Job]:
        """Read `COLUMNS`; other lines are banners and names of clusters."""
        rows = (line.split("|", 6) for line in out.splitlines())
        return [_job(row) for row in rows if len(row) == 7]

    def cancel(self, ids: Sequence[str]) -> Sequence[str]:
        """Return one call; ``scancel`` does not wait for the end."""
        return ["scancel", *ids]

    def details(self, job: Job) -> Sequence[Sequence[str]]:
        """Accounting, where there is any; the controller's memory, for some minutes."""
        if job.state.left or not ended_badly(job.native):
            return []
        columns = "--format=State,ExitCode"
        return [
            ["sacct", "-n", "-P", "-X", f"--jobs={job.id}", columns],
            ["scontrol", "--oneliner", "show", "job", job.id],
        ]

    def explain(self, job: Job, details: str) -> str:
        """Say why a job waits or how it ended, and what to do."""
        return slurm_advice.explain(job, details)

    def hopeless(self, job: Job) -> bool:
        """Whether a job that waits will never start as it is."""
        return slurm_advice.hopeless(job)

    def nodes(self) -> Sequence[str]:
        """Partitions, with their time limit, nodes, cores and memory (MiB) of each."""
        return ["sinfo", "--noheader", "--format=%P|%a|%l|%D|%c|%m"]

    def advise(self, refusal: str, request: JobRequest, nodes: str) -> str:
        """Say what to do after ``refusal``."""
        return slurm_advice.advise(refusal, request, nodes)

    def unreachable(self, answer: str) -> bool:
        """Whether the controller was not reached."""
        return any(words in answer for words in _UNREACHABLE)

    def unknown(self, answer: str) -> bool:
        """Whether the jobs are gone from the controller's memory (MinJobAge)."""
        return any(words in answer for words in _UNKNOWN)


def _wanted(request: JobRequest) -> list[str]:
    """Options that a profile may leave out."""
    memory = f"{-(-memory_bytes(request.memory) // 2**20)}M" if request.memory else ""
    options = {
        "--comment": f"{request.run_id} {request.epoch}",
        "--partition": request.queue,
        "--account": request.account,
        "--nodes": "1",
        "--ntasks": "1",
        "--cpus-per-task": str(request.cores),
        "--mem": memory,
        "--time": request.walltime,
        # All of what ``sbatch`` has: that is little, and chosen. NIL is unknown before
        # 23.02; it and a list of names make each job run a login shell first.
        "--export": "ALL",
        "--chdir": str(request.script.parent),
        "--signal": f"B:USR1@{WARNING_S}",
        "--open-mode": "append",
    }
    skip = tuple(_SHORT.get(name, name) for name in request.directives_skip if name)
    given = [f"{name}={value}" for name, value in options.items() if value]
    # A job that starts again after its node died would find its run gone on.
    return [
        option for option in [*given, "--no-requeue"] if not option.startswith(skip)
    ]


def _extra(request: JobRequest) -> list[str]:
    """Options of the profile, as they are in ``#SBATCH`` lines."""
    lines = (line.removeprefix("#SBATCH") for line in request.extra_directives)
    try:
        return [word for line in lines for word in shlex.split(line)]
    except ValueError as error:
        raise UsageError(
            f"job_extra_directives can't be read ({error}): {request.extra_directives}"
        ) from None


def output_pattern(folder: Path, name: str) -> str:
    """File of what jobs print: ``%`` is doubled, a backslash would end patterns."""
    if "\\" in str(folder):
        raise UsageError(f"Slurm can't write to {folder}: there is a backslash in it")
    return f"{str(folder).replace('%', '%%')}/{name}"


def _job(row: Sequence[str]) -> Job:
    number, native, reason, ends, left, node, name = row
    return Job(
        id=number.strip(),
        name=name.strip(),
        state=state_of(native),
        native=native.strip(),
        reason="" if reason == "None" else reason.strip(),
        node=node.strip(),
        ends="" if ends in ("N/A", "NONE", "Unknown") else ends.strip(),
        left_s=_left_s(left.strip()),
    )


def _left_s(text: str) -> float | None:
    """Read ``D-HH:MM:SS``, ``HH:MM:SS`` or ``MM:SS``; None for words of Slurm's."""
    days, _, clock = text.rpartition("-")
    parts = clock.split(":")
    if not all(part.isdecimal() for part in (days or "0", *parts)):
        return None
    total = 0
    for part in parts:
        total = 60 * total + int(part)
    return float(total + 24 * 3600 * int(days or "0"))
