"""Workers inside the Slurm allocation that this process runs in, started by ``srun``.

All workers of a submission are one job step, with a task on each node. The launcher and
its broker share the first node's cores with them: they need few.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from trap_hpc.config.job_environment import surrounding_job
from trap_hpc.errors import SchedulerError
from trap_hpc.schedulers.base import Job, JobRequest, State
from trap_hpc.schedulers.caller import Caller
from trap_hpc.schedulers.children import ended_job, explain_child
from trap_hpc.schedulers.slurm import Slurm, output_pattern
from trap_hpc.shell import Process, start, wait

LOOK_AGAIN_S = 0.3
KILL_WAIT_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """The job that we are in."""

    job: str
    nodes: int
    cores: int
    """Of the node that has the fewest."""


def allocation() -> Allocation:
    """Return the job that we are in.

    Raises
    ------
    SchedulerError
        We are in none.
    """
    job = surrounding_job("SLURM_JOB_ID")
    if not job:
        raise SchedulerError(
            "the scheduler `srun` starts workers in the Slurm job that trap-hpc itself "
            "runs in, and this is none; submit slurm/trap-hpc.sbatch, or name another "
            "site with --site"
        )
    # such as 4(x3),2
    cores = re.findall(
        r"(\d+)(?:\(x\d+\))?", surrounding_job("SLURM_JOB_CPUS_PER_NODE")
    )
    here = surrounding_job("SLURM_CPUS_ON_NODE") or "1"
    return Allocation(
        job=job,
        nodes=int(surrounding_job("SLURM_JOB_NUM_NODES") or 1),
        cores=min(map(int, cores or [here])),
    )


class SrunScheduler:
    """The `Scheduler` of an allocation."""

    name = "srun"
    asked = "squeue --steps"

    def __init__(
        self, caller: Caller, job_environment: Callable[[], Mapping[str, str]]
    ) -> None:
        """``job_environment``: all that steps get of ours."""
        self._caller = caller
        self._job_environment = job_environment
        self._started: dict[str, tuple[str, Process]] = {}
        self._cancelled: set[str] = set()

    @cached_property
    def _cluster(self) -> str:
        answer = self._caller.ask(Slurm().limits())
        return Slurm().parse_limits(answer.out).cluster

    def cluster(self) -> str:
        """Name of the cluster that the allocation is on."""
        return self._cluster

    def submit(self, request: JobRequest) -> tuple[str, ...]:
        """Start a task on each of ``request.count`` nodes, as one step."""
        (argv,) = self.submit_commands(request)
        before = {job.id for job in self.jobs([request.run_id])}
        log = request.log / "srun.log"
        process = start(argv, environment=self._job_environment(), output=log)
        try:
            step = self._wait_for_step(request, before, process)
        except BaseException:
            process.terminate()  # for srun: to kill the tasks
            if not wait(process, KILL_WAIT_S):
                process.kill()
                process.wait()
            raise
        if not step:
            raise SchedulerError(f"srun started no workers: {_last_words(log)}")
        self._started[step] = (request.run_id, process)
        return (step,)

    def _wait_for_step(
        self, request: JobRequest, before: set[str], process: Process
    ) -> str:
        """Return the id of the new step; empty if ``srun`` has ended without one."""
        deadline = self._caller.clock() + self._caller.timeout_s
        while process.poll() is None:
            new = {job.id for job in self.jobs([request.run_id])} - before
            if new:
                return min(new)
            if self._caller.clock() > deadline:
                raise SchedulerError(
                    f"srun started no workers within {self._caller.timeout_s:g} s: "
                    f"{_last_words(request.log / 'srun.log')}"
                )
            self._caller.sleep(LOOK_AGAIN_S)
        return ""

    def jobs(self, run_ids: Sequence[str]) -> Sequence[Job]:
        """Return all steps of these runs, and those of ours that have ended."""
        command = ["squeue", "--me", "--noheader", "--steps", "--format=%i|%N|%j"]
        answer = self._caller.ask(command)
        if not answer.good and not Slurm().unknown(answer.err + answer.out):
            raise SchedulerError(f"squeue does not tell of job steps: {answer}")
        rows = [line.split("|", 2) for line in answer.out.splitlines()]
        there = {row[0]: _step(row) for row in rows if len(row) == 3}
        found = [job for job in there.values() if job.name in run_ids]
        return [*found, *self._unlisted(there, run_ids)]

    def _unlisted(self, there: Container[str], run_ids: Sequence[str]) -> Iterator[Job]:
        """Yield steps that we started and Slurm does not list any more."""
        for step, (run, process) in self._started.items():
            code = process.poll()
            if step in there or run not in run_ids:
                continue
            if code is None:
                yield _step((step, "", run), State.ENDING)
            else:
                cancelled = step in self._cancelled
                yield ended_job(step, run, code, cancelled=cancelled, node="")

    def cancel(self, ids: Sequence[str]) -> None:
        """End steps. Their tasks are killed at once: srun makes SIGKILL of it."""
        if not ids:
            return
        self._cancelled.update(ids)
        answer = self._caller.ask(["scancel", *ids])
        if not answer.good and not Slurm().unknown(answer.err + answer.out):
            raise SchedulerError(str(answer))

    def explain(self, job: Job) -> str:
        """Say in a sentence how a step ended."""
        return explain_child(job)

    def hopeless(self, job: Job) -> bool:
        """Return False: a step that waits has been refused."""
        return False

    def submit_commands(self, request: JobRequest) -> Sequence[Sequence[str]]:
        """Return the command that `submit` would run."""
        here = allocation()
        if request.count > here.nodes or request.cores > here.cores:
            raise SchedulerError(
                f"{request.count} jobs of {request.cores} cores do not fit into job "
                f"{here.job}, which has {here.nodes} nodes of {here.cores} cores; ask "
                "for fewer --workers, or submit with more --nodes"
            )
        return [_srun(request, here)]

    def rehearse(self, request: JobRequest) -> str:
        """Say what would be done: there is nobody to ask."""
        (argv,) = self.submit_commands(request)
        return f"{request.count} nodes of job {allocation().job} would run {argv[-1]}"


def _step(row: Sequence[str], state: State = State.RUNNING) -> Job:
    number, node, name = row
    return Job(id=number, name=name, state=state, native=state.name, node=node)


def _srun(request: JobRequest, here: Allocation) -> list[str]:
    return [
        "srun",
        f"--jobid={here.job}",
        f"--job-name={request.run_id}",
        f"--nodes={request.count}",
        f"--ntasks={request.count}",
        "--ntasks-per-node=1",
        # srun has not heeded SLURM_CPUS_PER_TASK from 22.05 to 23.02.
        f"--cpus-per-task={request.cores}",
        "--mem=0",  # all that the job has; shared with the launcher
        "--overlap",  # the launcher's cores too
        "--mpi=none",
        # The end of one worker is no reason to end others: WaitTime of slurm.conf.
        "--wait=0",
        "--kill-on-bad-exit=0",
        "--no-kill",  # nor is the end of a node
        "--input=none",
        f"--chdir={request.script.parent}",
        f"--output={output_pattern(request.log, '%J-%N.log')}",
        "--open-mode=append",
        "bash",
        str(request.script),
    ]


def _last_words(log: Path) -> str:
    try:
        lines = log.read_text(errors="replace").split("\n")
    except OSError:
        return "it left no log"
    return " / ".join([line for line in lines if line][-4:]) or "it said nothing"
