"""Programs of Slurm with something put before them, to see how a fault is met."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

TOOLS = ("sbatch", "squeue", "scancel", "scontrol", "sinfo", "sacct")


class Shims:
    """A folder that is first on PATH. What it holds may call the real program."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, path: str) -> None:
        self.folder = folder
        folder.mkdir()
        patch.setenv("PATH", f"{folder}:{path}")

    def put(self, name: str, text: str) -> None:
        """Put a script in the place of ``name``; its ``$real`` is the real one."""
        program = self.folder / name
        real = shutil.which(name, path="/usr/local/bin:/usr/bin:/bin")
        head = f"#!/bin/bash\nreal={real}\ncalls={self.folder}/{name}.calls\n"
        program.write_text(f'{head}echo "$@" >> "$calls"\n{text}\n')
        program.chmod(0o755)

    def count_all(self) -> None:
        """Only count calls."""
        for name in TOOLS:
            self.put(name, 'exec "$real" "$@"')

    def calls(self, name: str) -> list[str]:
        """Arguments of each call, in order."""
        path = self.folder / f"{name}.calls"
        return path.read_text().splitlines() if path.exists() else []
