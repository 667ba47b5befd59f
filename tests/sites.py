"""A place where no site profiles but the packaged ones are found."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True, slots=True)
class Settings:
    """Where a test's system, user and project keep what they set."""

    system: Path
    user: Path
    project: Path

    def write(self, folder: Path, name: str, text: str) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.toml"
        path.write_text(text, encoding="utf-8")
        return path


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """Nobody has set anything yet; the current folder is the project's."""
    place = Settings(
        tmp_path / "etc" / "trap_hpc", tmp_path / "home" / "trap_hpc", tmp_path / "here"
    )
    place.project.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("TRAP_HPC_")]:
            patch.delenv(name)
        patch.setenv("XDG_CONFIG_DIRS", str(tmp_path / "etc"))
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
        patch.chdir(place.project)
        yield place
