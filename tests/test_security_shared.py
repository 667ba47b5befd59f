"""A folder that a whole group may write to, and one of the group who is up to no good.

The user and the other one are real; so is the scheduler.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.cluster.processes import Said, wait_until
from tests.cluster.slurm import TRAP_HPC, Slurm
from tests.cluster.users import User
from tests.sessions import a_record
from tests.source import ROOT
from trap_hpc.files import checksum
from trap_hpc.paths import RunPaths
from trap_hpc.run.session.record import read_session


@pytest.fixture
def shared(slurm: Slurm) -> Iterator[Path]:
    """A folder in which all may do all: not even a sticky bit."""
    folder = slurm.folder / "shared"
    folder.mkdir()
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def sky(slurm: Slurm, shared: Path) -> Path:
    """A few images of the other's."""
    words = ("--images", "8", "--size", "160", "--sources", "12", "--quiet")
    trap_hpc(slurm, "simulate", shared / "sky", *words, user=slurm.other)
    return shared / "sky"


def trap_hpc(slurm: Slurm, *words: str | Path, user: User) -> None:
    """Run ``trap-hpc``, which is to end well."""
    said = slurm.run_as_user([*TRAP_HPC, *words], user=user)
    assert said.code == 0, str(said)


def by_other(slurm: Slurm, script: str, *words: str | Path) -> Said:
    said = slurm.run_as_user(
        [sys.executable, "-c", script, *map(str, words)], user=slurm.other
    )
    assert said.code == 0, str(said)
    return said


def evil_code(trace: Path) -> str:
    """A program that writes a snapshot whose code leaves a trace of who ran it."""
    line = f"open({str(trace)!r}, 'w').close()"
    return (
        "import sys, zipfile\n"
        "with zipfile.ZipFile(sys.argv[1], 'w') as file:\n"
        "    for name in ('__init__', '__main__', 'worker/__init__', "
        "'worker/__main__'):\n"
        f"        file.writestr(f'trap_hpc/{{name}}.py', {line!r})\n"
    )


@pytest.fixture
def theirs(slurm: Slurm, shared: Path, sky: Path) -> Path:
    """A run of the other's whose code is not what it seems."""
    run = shared / "theirs"
    words = ("run", sky, "--out", run, "--engine", "serial", "-q")
    trap_hpc(slurm, *words, user=slurm.other)
    by_other(slurm, evil_code(shared / "trace"), run / "code.zip")
    plan = RunPaths(run).plan
    code = checksum(RunPaths(run).code.read_bytes())
    plan.write_text(re.sub('snapshot = ".*"', f'snapshot = "{code}"', plan.read_text()))
    slurm.run_as_user(["chmod", "-R", "a+rwX", run], user=slurm.other)
    return run


def test_a_run_of_another_user_is_not_resumed(
    slurm: Slurm, shared: Path, theirs: Path
) -> None:
    said = slurm.trap_hpc("resume", theirs)
    assert said.code == 1
    assert f"it belongs to {slurm.other.name}" in said.err, str(said)
    assert not (shared / "trace").exists()
    assert slurm.trap_hpc("status", theirs).code == 0
    assert slurm.trap_hpc("candidates", theirs).code == 0
    slurm.run_as_user(["chmod", "-R", "go-w", theirs], user=slurm.other)
    slurm.run_as_user([*TRAP_HPC, "resume", theirs], user=slurm.other)
    assert (shared / "trace").exists(), "to its owner it may do so"


def test_a_record_of_another_user_cancels_no_job(slurm: Slurm, shared: Path) -> None:
    submit = ["sbatch", "--parsable", "--job-name=precious", "--wrap=sleep 600"]
    job = slurm.run_as_user(submit).out.strip()
    config = slurm.hosts["login"].run(["scontrol", "show", "config"]).out
    named = re.search(r"ClusterName *= (\S+)", config)
    assert named is not None
    record = a_record(
        run_id="precious", arrays=(job,), cluster=named[1], lease_s=1.0, machine=""
    )
    script = (
        "import pathlib, sys\nrun = pathlib.Path(sys.argv[1])\nrun.mkdir()\n"
        "(run / 'plan.toml').touch()\n"
        "(run / 'session.json').write_text(sys.argv[2])\nrun.chmod(0o777)"
    )
    by_other(slurm, script, shared / "run", json.dumps(asdict(record)))
    for command in ("reap", "stop"):
        said = slurm.trap_hpc(command, shared / "run")
        assert said.code == 1, str(said)
        assert "not yours alone" in said.out + said.err
    assert [line.split("|")[0] for line in slurm.squeue()] == [job]
    slurm.run_as_user(["scancel", job])
    wait_until(lambda: not slurm.squeue(), "the job is gone")


def test_a_profile_of_another_user_runs_nothing(
    slurm: Slurm, shared: Path, sky: Path
) -> None:
    trace = shared / "trace"
    text = f'[site]\nname = "local"\njob-script-prologue = ["touch {trace}"]\n'
    script = "import sys; open(sys.argv[1], 'w').write(sys.argv[2])"
    by_other(slurm, script, shared / "trap_hpc.toml", text)
    said = slurm.run_as_user([*TRAP_HPC, "run", sky], folder=shared)
    assert said.code == 2
    assert f"it belongs to {slurm.other.name}" in said.err
    assert not trace.exists()
    assert not (shared / "runs").exists()


SWAP = """
import os, sys
from pathlib import Path
run = Path(sys.argv[1])
run.rename(run.with_name("away"))
run.mkdir()
(run / "logs").mkdir()
for folder in (run, run / "logs"):
    folder.chmod(0o777)
os.replace(sys.argv[2], run / "code.zip")
(run / "code.zip").chmod(0o644)
"""


def test_jobs_run_no_code_that_somebody_put_in_its_place(
    slurm: Slurm, shared: Path, sky: Path
) -> None:
    """The folder above is to blame; a job looks once more before it runs anything."""
    slurm.drain(1, 2, 3)
    run = shared / "run"
    argv: list[str | Path] = [*TRAP_HPC, "run", sky, "--out", run, "--workers", "2"]
    launcher = slurm.popen_as_user([*argv, "--site", slurm.site()])

    def submitted() -> bool:
        assert not launcher.over, str(launcher.wait())
        record = read_session(run)
        return record is not None and record.jobs > 0

    wait_until(submitted, "jobs wait", 60)
    by_other(slurm, evil_code(shared / "trace"), shared / "evil.zip")
    by_other(slurm, SWAP, run, shared / "evil.zip")
    slurm.resume()
    said = run / "logs"
    wait_until(lambda: any(p.stat().st_size for p in said.iterdir()), "a job began", 60)
    (log, *_) = said.iterdir()
    assert f"{run}/code.zip is not yours" in log.read_text()
    assert not (shared / "trace").exists()
    launcher.send(signal.SIGTERM)
    launcher.wait(120)
    assert not slurm.squeue()


def test_every_test_that_the_threat_model_names_is_there() -> None:
    page = (ROOT / "docs/explanation/threat-model.md").read_text()
    named = re.findall(r"`(test_\w+)::(test_\w+)`", page)
    assert len(named) > 30
    for file, test in named:
        source = (ROOT / "tests" / f"{file}.py").read_text()
        assert f"\ndef {test}(" in source, f"{file}::{test}"
