"""The job script: what every scheduler is given, the same for all jobs of a session."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from trap_hpc.config.environment import BEFORE_NUMPY
from trap_hpc.config.forms import walltime_s
from trap_hpc.config.site import Site
from trap_hpc.errors import UsageError

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

_PYTHON = {
    # Neither the folder of a script nor the user's own packages come before the run's.
    "PYTHONSAFEPATH": "1",
    "PYTHONNOUSERSITE": "1",
    # A node must not write into a folder that others read.
    "PYTHONDONTWRITEBYTECODE": "1",
}

_JOB = {
    # The scheduler's id of the job, as its status command prints it.
    "slurm": '"${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"',
    "srun": '"${SLURM_JOB_ID}.${SLURM_STEP_ID}"',
}
"""By scheduler. A local job has it from the start."""


def job_script(
    site: Site,
    *,
    run: Path,
    epoch: int,
    run_id: str,
    code: Path,
    environment: Mapping[str, str],
    user_site: bool = False,
) -> str:
    """Write the script that starts the workers of a job.

    ``environment`` is what the job gets of the launcher's, by
    `config.job_environment`; ``user_site``: the dependencies lie among the user's own
    packages.

    Raises
    ------
    UsageError
        A path can't be written into a script, or not into PYTHONPATH.
    """
    ours = preparations(
        site, run=run, code=code, environment=environment, user_site=user_site
    )
    stop = shlex.join(["trap-hpc", "stop", str(run)])
    lines = [
        "#!/bin/bash",
        f"# Workers of {run_id}, session {epoch}: each job of it runs this script.",
        f"# Stop them with: {stop}",
        "# Without it they end by themselves, when their launcher is gone.",
        "",
        *_time(site),
        *ours,
        "",
        *_job(site),
        "# Slurm's warning of the end: it would end what does not listen.",
        "trap '' USR1",
        shlex.join(["exec", site.python or sys.executable, "-P", "-m"])
        + " "
        + shlex.join(["trap_hpc.worker", str(run), str(epoch)]),
    ]
    return "\n".join(lines) + "\n"


def preparations(
    site: Site,
    *,
    run: Path,
    code: Path,
    environment: Mapping[str, str],
    user_site: bool,
) -> list[str]:
    """Write what comes before a program of ours starts. Arguments as `job_script`'s.

    Raises
    ------
    UsageError
        A path can't be written into a script, or not into PYTHONPATH.
    """
    for path in (run, code):
        if _CONTROL.search(str(path)) or not str(path).isprintable():
            raise UsageError(f"{str(path)!r} can't be written into a job script")
    if ":" in str(code):
        raise UsageError(f"Python imports nothing from {code}: there is a ':' in it")
    return [
        *_surroundings(site, _without_snapshot(environment, code)),
        "",
        *_only_ours(code),
        "",
        "# Only the code of this run, one thread a worker process.",
        f"export PYTHONPATH={shlex.quote(str(code))}" + '"${PYTHONPATH:+:$PYTHONPATH}"',
        *_exports(_python(user_site) | BEFORE_NUMPY),
    ]


def _only_ours(code: Path) -> Iterator[str]:
    """Run nothing if somebody has put another folder in the place of the run's."""
    file = shlex.quote(str(code))
    yield "# Not what somebody else may have put there, if others can write above it."
    yield f"if [ -e {file} ] && [ ! -O {file} ]; then"
    yield f"    echo {shlex.quote(f'{code} is not yours: nothing is run')} >&2"
    yield "    exit 78"
    yield "fi"


def _without_snapshot(environment: Mapping[str, str], code: Path) -> dict[str, str]:
    """Leave out what the launcher itself was given when it started from the code."""
    left = {k: v for k, v in environment.items() if k not in _PYTHON}
    parts = left.pop("PYTHONPATH", "").split(":")
    others = ":".join(part for part in parts if part and part != str(code))
    return {**left, **({"PYTHONPATH": others} if others else {})}


def _exports(variables: Mapping[str, str]) -> Iterator[str]:
    for name, value in sorted(variables.items()):
        yield f"export {name}={shlex.quote(value)}"


def _surroundings(site: Site, variables: Mapping[str, str]) -> Iterator[str]:
    if site.job_script_prologue:
        # However the script is started: by sbatch, by srun or by us.
        yield "# What login shells know, such as `module`."
        yield ". /etc/profile"
        yield ""
    yield "# From where the run was started; the profile's `environment` adds names."
    yield from _exports(variables)
    if site.job_script_prologue:
        yield ""
        yield "# From the site's profile."
        yield from site.job_script_prologue


def _python(user_site: bool) -> dict[str, str]:
    return {
        k: v for k, v in _PYTHON.items() if k != "PYTHONNOUSERSITE" or not user_site
    }


def _job(site: Site) -> Iterator[str]:
    if site.scheduler in _JOB:
        yield "# What the scheduler calls this job."
        yield f"export TRAP_HPC_JOB={_JOB[site.scheduler]}"


def _time(site: Site) -> Iterator[str]:
    if site.scheduler == "slurm":
        yield "# Since when it runs, and for how long at most: workers leave in time."
        yield "printf -v TRAP_HPC_JOB_BEGAN '%(%s)T' -1"
        yield "export TRAP_HPC_JOB_BEGAN"
        if site.walltime and not _sets_time(site.job_extra_directives):
            yield f"export TRAP_HPC_WALLTIME_S={walltime_s(site.walltime)}"
        yield ""


def _sets_time(directives: Sequence[str]) -> bool:
    """Whether a profile's own directives give jobs another time than ``walltime``."""
    words = (line.removeprefix("#SBATCH").strip() for line in directives)
    return any(word.startswith(("--time", "-t")) for word in words)
