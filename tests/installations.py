"""The package in other places than where the tests import it from."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.source import ROOT

_SKIPPED = shutil.ignore_patterns("__pycache__")


def checkout(folder: Path) -> Path:
    """Copy the code as it is in a checkout; return ``folder``, for the path."""
    for name in ("trap_hpc", "configs", "slurm"):
        shutil.copytree(ROOT / name, folder / name, ignore=_SKIPPED)
    return folder


def installed(code: Path, folder: Path) -> Path:
    """Lay the checkout ``code`` out as a wheel does; return ``folder``."""
    shutil.copytree(code / "trap_hpc", folder / "trap_hpc", ignore=_SKIPPED)
    for name in ("configs", "slurm"):
        shutil.copytree(code / name, folder / "trap_hpc" / "data" / name)
    return folder


def snapshot(code: Path, path: Path) -> str:
    """Let the package in the folder ``code`` write its snapshot; its checksum."""
    return said_by(
        code,
        "from pathlib import Path; from trap_hpc.identity import write_snapshot; "
        f"print(write_snapshot(Path({str(path)!r})))",
    )


def python(path: Path, *words: object) -> subprocess.CompletedProcess[str]:
    """Run Python with the package from ``path``, to its end."""
    return subprocess.run(
        [sys.executable, "-P", *map(str, words)],
        env=os.environ | {"PYTHONPATH": str(path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def said_by(path: Path, code: str) -> str:
    """Return what ``code`` prints with the package from ``path``."""
    done = python(path, "-c", code)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
