"""Runs on the cluster: started as a user does it, watched from outside."""

from __future__ import annotations

import itertools
import json
import os
import signal
from collections.abc import Sequence
from pathlib import Path

import h5py

from tests.cluster.processes import Said, wait_until
from tests.cluster.slurm import TRAP_HPC, Slurm
from trap_hpc.errors import RunError
from trap_hpc.paths import RunPaths
from trap_hpc.run.session.record import SessionRecord, read_session
from trap_hpc.worker.rollcall import RollCall, read_roll_calls

SLOW = {
    "detection_threshold": "2.5",
    "analysis_threshold": "1.2",
    "force_beam": "false",
    "deblend_nthresh": "200",
}
"""Parameters by which a small image of noise alone takes most of a second."""
STEADY = {
    "detection_threshold": "3",
    "analysis_threshold": "2",
    "force_beam": "false",
    "deblend_nthresh": "20",
}
"""Parameters by which three hundred small images keep six workers busy for a while."""
_numbers = itertools.count(1)


def settings(parameters: dict[str, str]) -> list[str]:
    """Return the options that set job parameters."""
    words = [["--set", f"{name}={value}"] for name, value in parameters.items()]
    return list(itertools.chain(*words))


def fresh(slurm: Slurm, name: str) -> Path:
    """Return a path in the user's home that nobody has used."""
    return slurm.work / f"{name}-{next(_numbers)}"


class Launch:
    """``trap-hpc run`` as the user on a login host, in the background."""

    def __init__(
        self,
        slurm: Slurm,
        images: Path,
        *words: str | Path,
        site: Path | None = None,
        workers: int = 6,
        host: str = "login",
        environment: dict[str, str] | None = None,
        directory: Path | None = None,
    ) -> None:
        self.slurm = slurm
        self.directory = directory or fresh(slurm, "run")
        self.paths = RunPaths(slurm.outside(self.directory))
        argv: Sequence[str | Path] = [
            *(*TRAP_HPC, "run", images, "--out", self.directory),
            *("--site", site or slurm.site(), "--workers", str(workers), *words),
        ]
        self.command = slurm.popen_as_user(argv, host=host, environment=environment)

    def resume(
        self,
        *words: str | Path,
        host: str = "login",
        environment: dict[str, str] | None = None,
    ) -> None:
        """Let another launcher go on, after the end of the last one."""
        argv: Sequence[str | Path] = [*TRAP_HPC, "resume", self.directory, *words]
        self.command = self.slurm.popen_as_user(
            argv, host=host, environment=environment
        )

    def wait(self, timeout_s: float = 120.0) -> Said:
        """Wait for the launcher's end."""
        return self.command.wait(timeout_s)

    def kill(self) -> None:
        """End the launcher as no program can expect."""
        self.command.send(signal.SIGKILL)
        self.command.wait()

    # --- what is known of it

    @property
    def session(self) -> SessionRecord | None:
        try:
            return read_session(self.paths.directory)
        except RunError:
            return None

    @property
    def run_id(self) -> str:
        assert self.session is not None
        return self.session.run_id

    @property
    def roll_calls(self) -> Sequence[RollCall]:
        return read_roll_calls(self.paths.roll_calls, 1)

    @property
    def written(self) -> int:
        """How many measurement files there are."""
        if not self.paths.measurements.exists():
            return 0
        names = os.listdir(self.paths.measurements)
        return sum(not name.startswith(".") for name in names)

    @property
    def nodes_that_worked(self) -> set[str]:
        """Those that measurement files name."""
        found = set()
        for path in self.paths.measurements.glob("*.h5"):
            with h5py.File(str(path)) as file:
                found.add(str(file.attrs["node"]))
        return found

    @property
    def working(self) -> bool:
        return self.written > 0

    def status(self) -> dict[str, object]:
        """Return what ``trap-hpc status`` says."""
        said = self.slurm.trap_hpc("status", self.directory, "--json")
        assert said.code == 0, str(said)
        record: dict[str, object] = json.loads(said.out)
        return record

    # --- waiting

    def until_working(self, timeout_s: float = 60.0) -> None:
        self.until(lambda: self.working, "some work is done", timeout_s)

    def until_submitted(self, jobs: int, timeout_s: float = 60.0) -> None:
        def submitted() -> bool:
            return self.session is not None and self.session.jobs >= jobs

        self.until(submitted, f"{jobs} jobs are submitted", timeout_s)

    def until_said(self, words: str, timeout_s: float = 60.0) -> None:
        self.until(lambda: words in self.command.err, f"it says {words!r}", timeout_s)

    def until(self, true: object, what: str, timeout_s: float = 60.0) -> None:
        """Wait for something that must come before the launcher's end."""
        assert callable(true)

        def come() -> bool:
            if true():
                return True
            over = self.command.over
            assert not over, f"it ended before {what}: {self.command.wait()}"
            return False

        wait_until(come, f"{what}\n{self.command.err}", timeout_s)


def jobs_as(slurm: Slurm, state: str, run_id: str = "") -> list[str]:
    """Return the ids of jobs that are in this state, of one run or of all."""
    lines = [line.split("|") for line in slurm.squeue("-t", "all")]
    return [x[0] for x in lines if x[2] == state and run_id in ("", x[1])]


def no_jobs(slurm: Slurm) -> bool:
    return not slurm.squeue()


def none_left(said: Said, jobs: str) -> bool:
    """Whether a launcher has said so, of its own run: it may tell of others, too."""
    return f"{jobs} submitted, 0 left (asked squeue)" in said.err.splitlines()


def workers_running(slurm: Slurm) -> list[str]:
    """Return the worker processes on all nodes."""
    found: list[str] = []
    for host in slurm.nodes:
        lines = host.run(["ps", "-eo", "args"]).out.splitlines()
        found += [f"{host.name}: {x}" for x in lines if "trap_hpc.worker" in x]
    return found
