"""A run goes on from its own copy of the code, whatever becomes of the installed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import psutil
import pytest

from tests.command_line import CommandLine
from tests.installations import checkout, python, said_by
from tests.runs import SETTINGS, assert_same, written
from tests.samples import write_noise
from tests.source import ROOT
from tests.waiting import wait_until
from trap_hpc.errors import RunError
from trap_hpc.identity import identity, surroundings
from trap_hpc.paths import RunPaths
from trap_hpc.run.launch import resume
from trap_hpc.run.plan import make_plan
from trap_hpc.run.prepare import prepare

SET = [word for setting in SETTINGS for word in ("--set", setting)]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(capsys)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return checkout(tmp_path / "checkout")


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    """A run of one image of which nothing is done."""
    image = write_noise(tmp_path / "a.fits")
    prepare(make_plan([str(image)], out=tmp_path / "run", engine="serial"))
    return tmp_path / "run"


def begun(tree: Path, images: list[str], out: Path) -> subprocess.Popen[bytes]:
    """Start a run by the code in ``tree``, and wait until it works."""
    words = [*images, *SET, "--out", str(out), "--batch-size", "1", "--workers", "2"]
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "trap_hpc", "run", *words, "--quiet"],
        env=os.environ | {"PYTHONPATH": str(tree)},
    )
    wait_until(
        lambda: RunPaths(out).measurements.exists() and written(out) >= 3,
        "the run has measured some images",
    )
    return process


def fork_server(launcher: int) -> psutil.Process:
    (server,) = (
        child
        for child in psutil.Process(launcher).children()
        if any("forkserver" in word for word in child.cmdline())
    )
    return server


def test_an_edit_in_the_middle_changes_the_next_run_and_not_this_one(
    tree: Path, night: list[str], reference: Path, tmp_path: Path
) -> None:
    """Not even for processes that are started after it."""
    out, again = tmp_path / "run", tmp_path / "again"
    process = begun(tree, night, out)
    for path in (tree / "trap_hpc").rglob("*.py"):
        path.write_text("raise RuntimeError('this was edited')\n")
    fork_server(process.pid).send_signal(signal.SIGKILL)
    assert process.wait(60) == 3  # one of the night's files is no image
    assert_same(reference, out)
    done = python(tree, "-m", "trap_hpc", "run", *night, "--out", again)
    assert "this was edited" in done.stderr


def test_the_next_run_has_the_identity_of_the_edited_code(
    tree: Path, tmp_path: Path
) -> None:
    image = write_noise(tmp_path / "a.fits")
    identities = []
    for name in ("one", "two"):
        words = ("run", image, "--out", tmp_path / name, "--engine", "serial")
        assert python(tree, "-m", "trap_hpc", *words).returncode == 0
        record = tomllib.loads((tmp_path / name / "plan.toml").read_text())
        asked = "from trap_hpc.identity import identity; print(identity())"
        assert record["identity"] == said_by(RunPaths(tmp_path / name).code, asked)
        identities.append(record["identity"])
        with (tree / "trap_hpc" / "pipeline" / "measure.py").open("a") as source:
            source.write("# edited\n")
    assert identities[0] != identities[1]


def test_resume_goes_on_with_the_run_s_own_code_after_an_update(
    tree: Path, prepared: Path
) -> None:
    main = tree / "trap_hpc" / "pipeline" / "measure.py"
    main.write_text(main.read_text() + "\nraise RuntimeError('another version')\n")
    done = python(tree, "-m", "trap_hpc", "resume", prepared, "--json")
    assert done.returncode == 0, done.stderr


def test_what_lies_in_the_current_folder_is_not_imported(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "numpy.py").write_text("raise RuntimeError('not this one')")
    monkeypatch.chdir(folder)
    done = python(ROOT, "-m", "trap_hpc", "resume", prepared)
    assert done.returncode == 0, done.stderr


def numpy_was_updated(directory: Path) -> str:
    """Pretend that a run was begun with an older numpy; return today's version."""
    (today,) = (part.version for part in surroundings() if part.name == "numpy")
    path = RunPaths(directory).identity
    path.write_text(path.read_text().replace(f'"version": "{today}"', '"version": "1"'))
    plan = RunPaths(directory).plan
    plan.write_text(plan.read_text().replace(identity(), "0123456789abcdef"))
    return today


def test_another_numpy_does_not_finish_a_run(call: CommandLine, prepared: Path) -> None:
    today = numpy_was_updated(prepared)
    said = call("resume", prepared)
    assert said.code == 1
    assert f"0123456789abcdef, and this is {identity()}" in said.err
    assert f"numpy {today} instead of 1" in said.err
    assert "Traceback" not in said.err


def test_another_numpy_tells_what_came_of_a_finished_run(
    call: CommandLine, prepared: Path
) -> None:
    assert call("resume", prepared).code == 0
    numpy_was_updated(prepared)
    assert call("resume", prepared, "--json").record["associated"] == 1
    assert call("resume", prepared, "--retry-refused").code == 1


def test_a_changed_snapshot_finishes_no_run(call: CommandLine, prepared: Path) -> None:
    code = RunPaths(prepared).code
    content = bytearray(code.read_bytes())
    content[len(content) // 2] ^= 1
    code.write_bytes(content)
    said = call("resume", prepared)
    assert said.code == 1
    assert "is not the code that the run was begun with" in said.err
    with pytest.raises(RunError, match="is not the code that the run was begun with"):
        resume(str(prepared))


def test_a_run_without_a_snapshot_is_finished_by_the_same_code(
    call: CommandLine, prepared: Path
) -> None:
    """As runs that were begun before there were any."""
    RunPaths(prepared).code.unlink()
    plan = RunPaths(prepared).plan
    lines = plan.read_text().splitlines(keepends=True)
    plan.write_text("".join(line for line in lines if "snapshot" not in line))
    RunPaths(prepared).identity.unlink()
    assert call("resume", prepared).code == 0


def test_an_installation_that_overrules_the_snapshot_is_told(
    tree: Path, prepared: Path, tmp_path: Path
) -> None:
    (tree / "sitecustomize.py").write_text(
        f"import sys; sys.path.insert(0, {str(tree)!r})"
    )
    done = python(tree, "-m", "trap_hpc", "resume", prepared)
    assert done.returncode == 1
    assert f"Python imports trap_hpc from {tree}" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["run", "plan"])
def test_a_folder_that_python_cannot_import_from_is_refused(
    call: CommandLine, tmp_path: Path, command: str
) -> None:
    image = write_noise(tmp_path / "a.fits")
    said = call(command, image, "--out", tmp_path / "at 12:30")
    assert said.code == 2
    assert "Python imports nothing from a folder with ':' in its name" in said.err
    assert not (tmp_path / "at 12:30").exists()


def test_a_run_that_was_not_begun_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = write_noise(tmp_path / "a.fits")
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    with pytest.raises(RunError):
        prepare(make_plan([str(image)], out=tmp_path / "run"))
    assert list((tmp_path / "run").iterdir()) == []


def test_batches_stay_as_large_as_was_asked_for(
    night: list[str], tmp_path: Path
) -> None:
    prepare(make_plan(night[:6], out=tmp_path / "run", batch_size=6, engine="serial"))
    resume(str(tmp_path / "run"))
    assert len(list(RunPaths(tmp_path / "run").measurements.glob("measure-*"))) == 1
