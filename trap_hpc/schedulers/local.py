"""The same job script as processes on this host.

Each job carries its id in its environment, and so do all processes that come of it: it
is found in the process table as long as one of them lives, whoever looks, and no other
process that happens to get the same number is taken for it.
"""

from __future__ import annotations

import platform
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress

import psutil

from trap_hpc.schedulers.base import Job, JobRequest, State
from trap_hpc.schedulers.children import ended_job, explain_child
from trap_hpc.shell import Process, start

RUN = "TRAP_HPC_RUN"
"""Holds the run's id, in the environment of a job's processes."""
JOB = "TRAP_HPC_JOB"
"""Holds the job's id."""
CORES = "TRAP_HPC_CORES"
"""Holds how many cores the job may use: nobody else confines it."""


KILL_WAIT_S = 5.0
"""What was asked to end and has not is killed."""


class LocalScheduler:
    """The `Scheduler` of this host."""

    name = "local"
    asked = "process table"

    def __init__(
        self,
        job_environment: Callable[[], Mapping[str, str]],
        *,
        clock: Callable[[], float],
    ) -> None:
        """``job_environment``: all that jobs get of ours. ``clock``: seconds."""
        self._job_environment = job_environment
        self._clock = clock
        self._started: dict[str, tuple[str, Process]] = {}
        self._told_to_end_s: dict[str, float] = {}

    def cluster(self) -> str:
        """Name of this host: processes of another one are not ours to judge."""
        return platform.node()

    def submit(self, request: JobRequest) -> tuple[str, ...]:
        """Start the jobs. An array of them has a name that is never used again."""
        (argv,) = self.submit_commands(request)
        array = f"local-{secrets.token_hex(4)}"
        for number in range(request.count):
            job = f"{array}_{number}"
            marks = {RUN: request.run_id, JOB: job, CORES: str(request.cores)}
            process = start(
                argv,
                environment={**self._job_environment(), **marks},
                output=request.log / f"{job}-{platform.node()}.log",
                folder=request.script.parent,
            )
            self._started[job] = (request.run_id, process)
        return (array,)

    def jobs(self, run_ids: Sequence[str]) -> Sequence[Job]:
        """Return what is there, and those of ours that have ended."""
        # They are not waited for by anybody else, and would stay as zombies.
        codes = {job: process.poll() for job, (_, process) in self._started.items()}
        there = {}
        for job, run, process in _processes():
            if run in run_ids:
                there[job] = self._there(job, run)
                self._kill_if_overdue(job, process)
        ended = (
            self._ended(job, self._started[job][0], code)
            for job, code in codes.items()
            if code is not None and job not in there
        )
        return [*there.values(), *(job for job in ended if job.name in run_ids)]

    def _there(self, job: str, run: str) -> Job:
        state = State.ENDING if job in self._told_to_end_s else State.RUNNING
        node = platform.node()
        return Job(id=job, name=run, state=state, native=state.name, node=node)

    def _ended(self, job: str, run: str, code: int) -> Job:
        cancelled = job in self._told_to_end_s
        return ended_job(job, run, code, cancelled=cancelled, node=platform.node())

    def _kill_if_overdue(self, job: str, process: psutil.Process) -> None:
        told_s = self._told_to_end_s.get(job)
        if told_s is not None and self._clock() - told_s >= KILL_WAIT_S:
            with suppress(psutil.NoSuchProcess):
                process.kill()

    def cancel(self, ids: Sequence[str]) -> None:
        """Ask all processes of these jobs to end; `jobs` kills those that do not."""
        for job, _, process in _processes():
            if job in ids or _array(job) in ids:
                self._told_to_end_s.setdefault(job, self._clock())
                with suppress(psutil.NoSuchProcess):
                    process.terminate()

    def explain(self, job: Job) -> str:
        """Say in a sentence how a job ended."""
        return explain_child(job)

    def hopeless(self, job: Job) -> bool:
        """Return False: no job waits here."""
        return False

    def submit_commands(self, request: JobRequest) -> Sequence[Sequence[str]]:
        """Return the command of each job."""
        return [["bash", str(request.script)]]

    def rehearse(self, request: JobRequest) -> str:
        """Say what would be done: there is nobody to ask."""
        return f"{request.count} jobs of {request.cores} workers would start here"


def _array(job: str) -> str:
    return job.rpartition("_")[0]


def _processes() -> Iterator[tuple[str, str, psutil.Process]]:
    """All processes of jobs: job, run, process."""
    for process in psutil.process_iter():
        try:
            marks = process.environ()
        except (psutil.Error, OSError):
            continue  # gone, a zombie, or somebody else's
        if JOB in marks and RUN in marks:
            yield marks[JOB], marks[RUN], process
