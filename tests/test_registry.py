"""The list of runs, whatever has become of what is in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from trap_hpc.config.environment import state_folder
from trap_hpc.errors import UsageError
from trap_hpc.run.registry import find_run, known_runs, register


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only run that is registered."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    folder = tmp_path / "good"
    folder.mkdir()
    (folder / "plan.toml").touch()
    register("trap-good", folder)
    return folder


def entries() -> Path:
    return state_folder() / "runs"


@pytest.mark.parametrize(
    "content", [b"", b"x", b"\xff\xfe\n", b"relative\n", b"/a\0b\n", b"/gone\n"]
)
def test_an_entry_that_names_no_run_is_left_out(run: Path, content: bytes) -> None:
    (entries() / "trap-bad").write_bytes(content)
    assert known_runs() == {"trap-good": run}


def test_entries_that_are_no_files_are_left_out(run: Path) -> None:
    (entries() / "trap-folder").mkdir()
    (entries() / "trap-link").symlink_to("/nowhere")
    os.mkfifo(entries() / "trap-pipe")  # whoever opens it waits for ever
    assert known_runs() == {"trap-good": run}


def test_a_run_that_can_t_be_looked_into_is_none(run: Path) -> None:
    """A project's folder that was closed, or a file system that is gone."""
    loop = run.parent / "loop"
    loop.symlink_to(loop)
    register("trap-loop", run)
    (entries() / "trap-loop").write_text(f"{loop}\n")
    (entries() / "trap-long").write_text(f"/{'x' * 5000}\n")
    (entries() / "trap-proc").write_text("/proc/1/root/../cwd\n")
    assert known_runs() == {"trap-good": run}
    with pytest.raises(UsageError, match="no run is called"):
        find_run("x" * 5000)
