"""A run that can't go on says why, keeps what it had, and can be resumed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.ci import lacking
from tests.runs import SETTINGS, assert_same, kill_after, run
from tests.samples import write_noise
from trap_hpc.identity import write_snapshot
from trap_hpc.paths import RunPaths
from trap_hpc.run.launch import resume

TRAP_HPC = [sys.executable, "-m", "trap_hpc"]
SET = [word for setting in SETTINGS for word in ("--set", setting)]


def trap_hpc(*words: object) -> subprocess.CompletedProcess[str]:
    command = [*TRAP_HPC, *map(str, words)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False
    )


def in_small_file_system(folder: Path, kilobytes: int, script: str) -> str:
    """Run ``script`` where ``folder`` is a file system of that size; what it says."""
    mount = f"mount -t tmpfs -o size={kilobytes}k tmpfs '{folder}'"
    command = ["unshare", "-Urm", "sh", "-c", f"{mount} || exit 99\n{script}"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=300, check=False
    )
    if done.returncode == 99 or done.stderr.startswith("unshare:"):
        lacking("this system lets users mount nothing")
    return done.stdout + done.stderr


def test_a_full_disk_stops_the_run_and_resume_finishes_it(
    night: Sequence[str], reference: Path, tmp_path: Path
) -> None:
    disk, kept = tmp_path / "disk", tmp_path / "kept"
    disk.mkdir()
    trap = " ".join(TRAP_HPC)
    words = " ".join([*night, *SET, "--out", f"{disk}/run", "--workers 2 --quiet"])
    write_snapshot(tmp_path / "code.zip")
    said = in_small_file_system(
        disk,
        1200 + (tmp_path / "code.zip").stat().st_size // 1000,
        f"{trap} run {words} --batch-size 1; echo code $?\n"
        f"mount -o remount,size=200m '{disk}'\n"
        f"{trap} resume '{disk}/run' --quiet; echo code $?\n"
        f"cp -r '{disk}/run' '{kept}'\n",
    )
    assert "disk is full" in said or "No space left" in said
    assert "trap-hpc resume" in said
    assert "Traceback" not in said
    assert [line for line in said.splitlines() if line.startswith("code")] == [
        "code 1",
        "code 3",  # the text file is still no image
    ], said
    assert_same(reference, kept)


def test_ctrl_c_says_how_to_go_on(
    night: Sequence[str], reference: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    words = [*night, *SET, "--out", str(out), "--batch-size", "1", "--workers", "2"]
    process = subprocess.Popen(
        [*TRAP_HPC, "run", *words], stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while not list(RunPaths(out).measurements.glob("measure*")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "What was done is kept: `trap-hpc resume trap-" in said
    assert "Traceback" not in said
    assert json.loads(RunPaths(out).status.read_text())["phase"] == "stopped"
    assert " left" not in trap_hpc("status", out).stdout
    assert RunPaths(out).log.read_text().endswith(" interrupted: Ctrl-C\n")
    assert trap_hpc("resume", out).returncode == 3
    assert_same(reference, out)


def test_no_worker_outlives_a_killed_launcher(
    night: Sequence[str], tmp_path: Path
) -> None:
    out = tmp_path / "run"
    words = [*night, *SET, "--out", str(out), "--batch-size", "1", "--workers", "2"]
    process = subprocess.Popen([*TRAP_HPC, "run", *words, "--quiet"])
    kill_after(process, out, files=3)
    deadline = time.monotonic() + 30
    while processes_that_name(out) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not processes_that_name(out)


def processes_that_name(out: Path) -> list[str]:
    """Processes with a file of the run open, or its name on their command line."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            files = [os.readlink(link) for link in (process / "fd").iterdir()]
        except OSError:
            continue
        if str(out).encode() in command or any(str(out) in file for file in files):
            found.append(process.name)
    return found


def test_a_database_that_does_not_answer_is_told(
    night: Sequence[str], tmp_path: Path
) -> None:
    out = tmp_path / "run"
    done = trap_hpc("run", *night, "--out", out, "--db", "postgresql://localhost:1/no")
    assert done.returncode == 1
    assert "localhost" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("out", ["/proc/run", "file/run", "full"])
def test_an_output_folder_that_cannot_be_used_is_told(tmp_path: Path, out: str) -> None:
    image = write_noise(tmp_path / "a.fits")
    (tmp_path / "file").touch()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "precious").touch()
    done = trap_hpc("run", image, "--out", tmp_path / out)
    assert done.returncode == 2
    assert out.split("/")[-1] in done.stderr
    assert "Traceback" not in done.stderr


def test_a_run_in_which_no_image_is_usable_still_ends_well(tmp_path: Path) -> None:
    (tmp_path / "text.fits").write_text("no image\n" * 500)
    done = trap_hpc("run", tmp_path / "text.fits", "--out", tmp_path / "run")
    assert done.returncode == 3
    assert "text.fits" in done.stdout
    assert trap_hpc("candidates", tmp_path / "run").returncode == 0


def test_refused_images_are_tried_again_on_request(
    night: Sequence[str], reference: Path, tmp_path: Path
) -> None:
    images = tmp_path / "images"
    images.mkdir()
    copies = [str(shutil.copy(path, images)) for path in night]
    vanished = next(path for path in copies if path.endswith("t04_b1.fits"))
    Path(vanished).rename(tmp_path / "elsewhere")
    Path(vanished).write_text("not yet copied")
    assert run(copies, tmp_path / "run").exit_code == 3
    (tmp_path / "elsewhere").rename(vanished)
    assert resume(str(tmp_path / "run")).associated < len(night) - 3
    summary = resume(str(tmp_path / "run"), retry_refused=True)
    assert [Path(r.address).name for r in summary.refusals] == [
        "t11_b0.fits",
        "text.fits",
    ]
    assert_same(reference, tmp_path / "run")


def test_other_code_does_not_finish_a_run(
    night: Sequence[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_noise(tmp_path / "a.fits")
    run([str(tmp_path / "a.fits")], tmp_path / "run")
    plan = RunPaths(tmp_path / "run").plan
    text = plan.read_text()
    identity = text.split('identity = "')[1][:16]
    plan.write_text(text.replace(identity, "0123456789abcdef"))
    told = trap_hpc("resume", tmp_path / "run")
    assert told.returncode == 0, "what came of a finished run anybody may tell"
    done = trap_hpc("resume", tmp_path / "run", "--retry-refused")
    assert done.returncode == 1
    assert "0123456789abcdef" in done.stderr
    assert identity in done.stderr
