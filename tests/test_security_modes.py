"""Modes of all that a run leaves: others may write nothing, and read what is opened."""

from __future__ import annotations

import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.brokers import as_somebody_else
from tests.sample_night import SLOW, images
from tests.waiting import wait_until
from trap_hpc.paths import RunPaths
from trap_hpc.run.owner import require_ours
from trap_hpc.run.session.record import SessionRecord, read_session

PRIVATE = 0o077
OF_OTHERS = stat.S_IWGRP | stat.S_IWOTH


@pytest.fixture(scope="module")
def sky(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return images(tmp_path_factory.mktemp("sky"), 12)


@dataclass
class Open:
    """A run of somebody whose umask keeps nobody out, in a folder that all may read."""

    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def paths(self) -> RunPaths:
        return RunPaths(self.folder / "runs" / "run")

    @property
    def session(self) -> SessionRecord:
        record = read_session(self.paths.directory)
        assert record is not None
        return record

    @property
    def broker_folder(self) -> Path:
        return Path(self.session.broker_folder)


@pytest.fixture(params=[0o000, 0o002], ids=["umask 000", "umask 002"])
def run(
    request: pytest.FixtureRequest,
    sky: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Open]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    words = [str(sky), "--out", str(tmp_path / "runs" / "run"), "--site", "local"]
    words += [*SLOW, "--workers", "2", "--site-set", "cores=1", "--batch-size", "2"]
    with (tmp_path / "said").open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "trap_hpc", "run", *words],
            umask=request.param,
            stdout=said,
            stderr=said,
        )
    made = Open(tmp_path, process)
    try:
        yield made
    finally:
        process.terminate()
        process.wait(60)


def modes(folder: Path) -> dict[str, int]:
    """The modes of a folder and of all in it; what vanishes meanwhile is left out."""
    found = {}
    for path in (folder, *folder.rglob("*")):
        try:
            found[str(path.relative_to(folder))] = stat.S_IMODE(path.lstat().st_mode)
        except FileNotFoundError:
            continue
    return found


def open_to_others(folder: Path, bits: int = OF_OTHERS) -> dict[str, str]:
    return {name: oct(mode) for name, mode in modes(folder).items() if mode & bits}


def works(run: Open) -> bool:
    assert run.process.poll() is None, (run.folder / "said").read_text()
    written = run.paths.measurements
    return written.exists() and len(list(written.glob("*.h5"))) > 1


def test_others_may_write_to_nothing_of_a_run(run: Open) -> None:
    wait_until(lambda: works(run), "it works")
    assert not open_to_others(run.paths.directory)
    names = modes(run.paths.directory)
    assert {"broker.json", "lease", "job.sh", "session.json", "run.log"} <= set(names)
    assert any(name.startswith("workers/") for name in names)
    assert any(name.startswith("logs/") for name in names)
    assert names["."] == 0o700
    assert names["broker.json"] == 0o600
    assert not open_to_others(run.broker_folder, PRIVATE)
    assert len(modes(run.broker_folder)) > 5
    assert not open_to_others(run.folder / "state" / "trap_hpc")
    assert modes(run.folder / "state" / "trap_hpc")["."] == 0o700
    assert stat.S_IMODE((run.folder / "runs").stat().st_mode) == 0o755
    seen = as_somebody_else("ls", str(run.paths.directory))
    assert "Permission denied" in seen.stderr

    assert run.process.wait(120) == 0, (run.folder / "said").read_text()
    names = modes(run.paths.directory)
    assert {"catalogue.sqlite", "lightcurves.h5", "ledger.sqlite"} <= set(names)
    assert "broker.json" not in names
    assert not open_to_others(run.paths.directory)
    assert not run.broker_folder.exists()


def test_who_opens_a_finished_run_lets_others_read_it_and_no_more(
    sky: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    folder = tmp_path / "run"
    words = ["run", str(next(sky.glob("*.fits"))), "--out", str(folder), "--quiet"]
    argv = [sys.executable, "-m", "trap_hpc", *words]
    assert subprocess.run(argv, umask=0, check=False).returncode == 0
    assert not open_to_others(folder)
    folder.chmod(0o755)
    for above in folder.parents:
        above.chmod(above.stat().st_mode | 0o711)
        if above.name.startswith("pytest-of"):
            break
    log = str(folder / "run.log")
    assert as_somebody_else("cat", log).returncode == 0
    for name in ("code.zip", "plan.toml", "measurements/x", "session.json"):
        seen = as_somebody_else("touch", str(folder / name))
        assert "Permission denied" in seen.stderr
    require_ours(folder)
