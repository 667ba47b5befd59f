"""What a real Slurm answers, kept in ``tests/data/slurm``.

``python -m tests.slurm_recorded``, as root and with Slurm installed, brings one up and
records all of it again, which takes some minutes.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.slurm_here import SlurmHere, clean_environment, slurm_here, wait_until
from tests.source import ROOT
from trap_hpc.schedulers.base import Job, State
from trap_hpc.schedulers.slurm import Slurm
from trap_hpc.shell import Answer

FOLDER = ROOT / "tests" / "data" / "slurm"
RUN = "trap-recorded"
LIST = Slurm().jobs([RUN])

REFUSED = {
    "partition": ["--partition=nope"],
    "memory": ["--mem=900000M"],
    "feature": ["--constraint=nope"],
    "gres": ["--gres=gpu:1"],
    "licence": ["--licenses=nope:1"],
    "array": ["--array=0-5000"],
    "option": ["--nope"],
    "time": ["--time=soon"],
    "reservation": ["--reservation=nope"],
}
"""Options that this Slurm does not take."""

WAITING = {
    "cores": ["--cpus-per-task=64"],
    "walltime": ["--time=10-00:00:00"],
    "closed": ["--partition=closed"],
    "hold": ["--hold"],
    "begin": ["--begin=now+1hour"],
    "dependency": ["--dependency=afterok:1"],
}
"""Options that it takes, but with which a job does not start."""


def recorded(name: str) -> Answer:
    """Return what was recorded by this name."""
    head, out, err = (FOLDER / f"{name}.txt").read_text().split("=== ")
    command, code = head.splitlines()
    return Answer(
        argv=tuple(shlex.split(command.removeprefix("$ "))),
        exit_code=int(code.removeprefix("exit code ")),
        out=out.removeprefix("stdout\n"),
        err=err.removeprefix("stderr\n"),
        seconds=0.0,
    )


class Recorder:
    """Asks a Slurm, and writes down what it answers."""

    def __init__(self, here: SlurmHere, folder: Path) -> None:
        self.here = here
        self.folder = folder

    def ask(self, *argv: str, name: str = "", seconds: float = 60) -> str:
        done = subprocess.run(
            argv,
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            timeout=seconds,
            env=clean_environment(SLURM_CONF=str(self.here.conf)),
        )
        if name:
            (FOLDER / f"{name}.txt").write_text(
                f"$ {shlex.join(argv)}\nexit code {done.returncode}\n"
                f"=== stdout\n{done.stdout}=== stderr\n{done.stderr}"
            )
        return done.stdout

    def submit(
        self, options: Sequence[str], line: str = "sleep 300", name: str = ""
    ) -> str:
        """Submit a script of one line; return its id."""
        (self.folder / "job.sh").write_text(f"#!/bin/bash\n{line}\n")
        fixed = ["--parsable", f"--job-name={RUN}", "--output=%j.log", "--no-requeue"]
        said = self.ask("sbatch", *fixed, *options, "job.sh", name=name)
        return Slurm().parse_submit(said)

    def jobs(self) -> dict[str, Job]:
        """By id."""
        return {job.id: job for job in Slurm().parse_jobs(self.ask(*LIST))}

    def wait_for(self, job: str, native: str) -> None:
        wait_until(lambda: self.jobs()[job].native == native, 200)


def record(here: SlurmHere, folder: Path) -> None:
    slurm = Recorder(here, folder)
    slurm.ask("scontrol", "show", "config", name="limits")
    slurm.ask(*Slurm().nodes(), name="nodes")
    slurm.ask(*LIST, name="jobs-none")
    for case, options in REFUSED.items():
        slurm.submit(options, name=f"refused-{case}")
    slurm.ask("sbatch", "--test-only", "--mem=900000M", "--wrap=true", name="test-bad")
    slurm.ask("sbatch", "--test-only", "--wrap=true", name="test-good")
    ended(slurm)
    waiting(slurm)
    forgotten(slurm)
    here.end("slurmctld")
    slurm.ask("squeue", "--me", name="down-squeue")
    slurm.ask("sbatch", "--parsable", "job.sh", name="down-sbatch")
    slurm.ask("scancel", "1", name="down-scancel")
    here.start_controller()


def ended(slurm: Recorder) -> None:
    """Jobs that end in all the ways that can be had here."""
    timeout = slurm.submit(["--time=00:01:00"])
    submitted = {
        "good": slurm.submit([], "true"),
        "failed": slurm.submit([], "exit 78"),
        "killed": slurm.submit([], "kill -9 $$"),
        "no-interpreter": slurm.submit([], "exec /nowhere/python"),
        "memory": slurm.submit(["--mem=50M"], EATER),
        "no-folder": slurm.submit(["--output=/nowhere/%j"], "true"),
    }
    cancelled = slurm.submit(["--array=0-1"], name="submit-array")
    slurm.wait_for(f"{cancelled}_1", "RUNNING")
    slurm.ask("scancel", cancelled, name="cancel")
    node = slurm.submit(["--nodelist=n3"])
    slurm.wait_for(node, "RUNNING")
    slurm.here.end("n3")
    wait_until(lambda: all(not slurm.jobs()[j].state.left for j in submitted.values()))
    slurm.wait_for(node, "NODE_FAIL")
    slurm.here.start_node("n3")
    slurm.wait_for(timeout, "TIMEOUT")
    slurm.ask(*LIST, name="jobs-ended")
    for case, job in submitted.items():
        slurm.ask("scontrol", "--oneliner", "show", "job", job, name=f"show-{case}")
    slurm.ask("sacct", "-n", "-P", "-X", "--jobs=1", name="sacct-disabled")


EATER = f"exec {shlex.quote(sys.executable)} -c 'x = bytearray(10**9); input()'"
"""Needs a gigabyte."""


def waiting(slurm: Recorder) -> None:
    """Jobs that wait, for all reasons that can be had here."""
    for options in WAITING.values():
        slurm.submit(options)
    slurm.submit(["--nodes=3", "--exclusive"])
    first = slurm.submit(["--nodes=3", "--exclusive"])
    slurm.submit(["--array=0-2%1", "--exclusive"])
    wait_until(lambda: slurm.jobs()[first].reason == "Resources")
    time.sleep(3)  # until each has been looked at
    slurm.ask(*LIST, name="jobs-waiting")
    states = [job for job in slurm.jobs().values() if job.state is not State.ENDED]
    slurm.ask("scancel", *(job.array for job in states), name="cancel-many")


def forgotten(slurm: Recorder) -> None:
    """Ids that nobody knows."""
    slurm.ask("scancel", "99999", name="cancel-unknown")
    slurm.ask("squeue", "--jobs=99999", name="jobs-unknown")
    slurm.ask("scontrol", "--oneliner", "show", "job", "99999", name="show-unknown")


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        with slurm_here(folder / "slurm", nodes=3) as here:
            record(here, folder)


if __name__ == "__main__":
    main()
