"""Which of our variables the scheduler's programs get, and which jobs get.

A job gets a chosen few, written into its script, so that it is the same whatever the
site or the user's shell would hand on. Nothing that looks like a secret is among them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from trap_hpc.errors import UsageError

_OF_OTHER_JOBS = (
    # An outer job's, or a site's module's: they would change what we ask for. Slurm
    # hands SLURM_* on to jobs whatever it is told.
    "SLURM_",
    "SLURMD_",
    "SLURMSTEPD_",
    "SRUN_",
    "SALLOC_",
    "SBATCH_",
    # Columns and filters of the user's own.
    "SQUEUE_",
    "SCANCEL_",
    "SACCT_",
    "SINFO_",
    "SCONTROL_",
    # An MPI of the outer job.
    "PMI_",
    "PMI2_",
    "PMIX_",
)
_SAYS_WHICH_SLURM = ("SLURM_CONF", "SLURM_CLUSTERS", "SLURM_JWT")

_FOR_JOBS = (
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LC_*",
    "TZ",
    "LD_LIBRARY_PATH",
    # Python, if it comes from modules that say where its packages are.
    "PYTHONPATH",
    "PYTHONHOME",
    # What `module load` in a prologue must know.
    "MODULEPATH",
    "MODULESHOME",
    "LOADEDMODULES",
    "_LMFILES_",
    "LMOD_*",
    "__LMOD_*",
    "_ModuleTable*",
    "CONDA_*",
    "MAMBA_*",
    "VIRTUAL_ENV",
    "XDG_*_HOME",
    # They choose which of numpy's kernels run: the same bits on all nodes.
    "NPY_DISABLE_CPU_FEATURES",
    "OPENBLAS_CORETYPE",
)

_SECRET = re.compile("PASS(WORD|WD|PHRASE)|TOKEN|SECRET|KEY|CREDENTIAL", re.IGNORECASE)
_PASSWORD = re.compile("[a-z][a-z0-9+.-]*://[^/@:\\s]*:[^/@\\s]+@", re.IGNORECASE)
"""A URL with one, such as that of a proxy."""
_NAME = re.compile("[A-Za-z_][A-Za-z0-9_]*")


def for_clients(environment: Mapping[str, str]) -> dict[str, str]:
    """Return ``environment`` without what changes the scheduler's programs."""
    return {
        name: value
        for name, value in environment.items()
        if name in _SAYS_WHICH_SLURM or not name.startswith(_OF_OTHER_JOBS)
    }


def for_jobs(
    environment: Mapping[str, str], names: Sequence[str] = ()
) -> dict[str, str]:
    """Return what a job gets of ``environment``; ``names`` are the profile's, more.

    Raises
    ------
    UsageError
        One of ``names`` looks like that of a secret, or is of one.
    """
    for name in names:
        value = environment.get(name, "")
        if _SECRET.search(name) or _PASSWORD.search(value):
            looks = (
                "holds a password" if _PASSWORD.search(value) else "looks like a secret"
            )
            raise UsageError(
                f"the profile's `environment` names {name}, which {looks}: others may "
                "read a job script; leave it in a file for you alone"
            )
    wanted = (*_FOR_JOBS, *names)
    return {
        name: value
        for name, value in sorted(environment.items())
        if any(fnmatchcase(name, pattern) for pattern in wanted)
        and _NAME.fullmatch(name)
        and not _SECRET.search(name)
        and not _PASSWORD.search(value)
        and _is_text(value)
    }


def _is_text(value: str) -> bool:
    """Whether it is UTF-8, as the job script is."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def client_environment() -> dict[str, str]:
    """Return ours, for the scheduler's programs."""
    return for_clients(os.environ)


def job_environment(names: Sequence[str] = ()) -> dict[str, str]:
    """Return what jobs get of ours. Raises as `for_jobs`."""
    return for_jobs(os.environ, names)


def which_slurm() -> dict[str, str]:
    """Return the variables that say which Slurm is meant."""
    return {name: os.environ[name] for name in _SAYS_WHICH_SLURM if name in os.environ}


def surrounding_job(variable: str) -> str:
    """Return what Slurm says of the job that we are in; empty if we are in none."""
    return os.environ.get(variable, "")
