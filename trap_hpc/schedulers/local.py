"""The same job script as processes on this host.

Each job carries its id in its environment, and so do all processes that come of it: it
is found in the process table as long as one of them lives, whoever looks, and no other
process that happens to get the same number is taken for it.
"""

from __future__ import annotations

import platform
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence

import psutil

from trap_hpc.schedulers.base import Job, JobRequest, State
from trap_hpc.shell import Process, start

RUN = "TRAP_HPC_RUN"
"""Holds the run's id, in the environment of a job's processes."""
JOB = "TRAP_HPC_JOB"
"""Holds the job's id."""


class LocalScheduler:
    """The `Scheduler` of this host."""

    name = "local"
    asked = "process table"

    def __init__(self, job_environment: Callable[[], Mapping[str, str]]) -> None:
        """``job_environment``: all that jobs get of ours."""
        self._job_environment = job_environment
        self._started: dict[str, tuple[str, Process]] = {}
        self._asked_to_end: set[str] = set()

    def cluster(self) -> str:
        """Name of this host: processes of another one are not ours to judge."""
        return platform.node()

    def submit(self, request: JobRequest) -> tuple[str, ...]:
        """Start the jobs. An array of them has a name that is never used again."""
        (argv,) = self.submit_commands(request)
        array = f"local-{secrets.token_hex(4)}"
        for number in range(request.count):
            job = f"{array}_{number}"
            marks = {RUN: request.run_id, JOB: job}
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
        ended = {
            job: _ended(job, run, code)
            for job, (run, process) in self._started.items()
            if (code := process.poll()) is not None and run in run_ids
        }
        there = {
            job: self._there(job, run) for job, run, _ in _processes() if run in run_ids
        }
        return list((ended | there).values())

    def _there(self, job: str, run: str) -> Job:
        ending = job in self._asked_to_end
        return Job(
            id=job,
            name=run,
            state=State.ENDING if ending else State.RUNNING,
            native="ending" if ending else "running",
            node=platform.node(),
        )

    def cancel(self, ids: Sequence[str]) -> None:
        """Ask all processes of these jobs to end; kill what was asked before."""
        asked_before = frozenset(self._asked_to_end)
        for job, _, process in _processes():
            if job not in ids and _array(job) not in ids:
                continue
            try:
                if job in asked_before:
                    process.kill()
                else:
                    process.terminate()
            except psutil.NoSuchProcess:
                continue
            self._asked_to_end.add(job)

    def explain(self, job: Job) -> str:
        """Say in a sentence how a job ended."""
        if job.state.left:
            return f"job {job.id} is {job.native} on this host"
        return f"job {job.id} ended with {job.native}; its log says more"

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


def _ended(job: str, run: str, code: int) -> Job:
    how = f"exit code {code}" if code >= 0 else f"signal {-code}"
    return Job(id=job, name=run, state=State.ENDED, native=how, node=platform.node())


def _processes() -> Iterator[tuple[str, str, psutil.Process]]:
    """All processes of jobs: job, run, process."""
    for process in psutil.process_iter():
        try:
            marks = process.environ()
        except (psutil.Error, OSError):
            continue  # gone, a zombie, or somebody else's
        if JOB in marks and RUN in marks:
            yield marks[JOB], marks[RUN], process
