"""Programs in the place of Slurm's own, in a folder that comes first on PATH."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.cluster.slurm import Slurm

CLIENTS = ("sbatch", "squeue", "scancel", "scontrol", "sinfo", "sacct")
COUNTING = (
    '#!/bin/sh\necho "{name} $* # $(date +%T)" >>{log}\nexec /usr/bin/{name} "$@"\n'
)


def programs(slurm: Slurm, folder: Path, scripts: Mapping[str, str]) -> dict[str, str]:
    """Write ``scripts`` and return the environment that has them first on PATH."""
    folder.mkdir()
    for name, text in scripts.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    path = slurm.hosts["login"].environment(slurm.user)["PATH"]
    return {"PATH": f"{folder}:{path}"}


def counting(slurm: Slurm, folder: Path, log: Path) -> dict[str, str]:
    """Note every call of one of Slurm's programs in ``log``, then make it."""
    scripts = {name: COUNTING.format(name=name, log=log) for name in CLIENTS}
    return programs(slurm, folder, scripts)
