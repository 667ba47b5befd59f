"""The tests' own Slurm is what it says: hosts, users, faults, and gone afterwards."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ci import lacking
from tests.cluster.processes import wait_until
from tests.cluster.shape import outside_address
from tests.cluster.slurm import Slurm
from tests.cluster.up import FOLDERS, PREFIX, cluster, what_is_missing
from tests.cluster.users import users_of
from tests.cluster.view import covers_for
from tests.source import ROOT


def test_nodes_are_hosts_of_their_own(slurm: Slurm) -> None:
    said = slurm.run_as_user(["srun", "-N3", "hostname"])
    assert sorted(said.out.split()) == ["n1", "n2", "n3"]


def test_jobs_run_as_an_ordinary_user(slurm: Slurm) -> None:
    said = slurm.run_as_user(["srun", "sh", "-c", "id -u; pwd"])
    assert said.out.split() == [str(slurm.user.uid), str(slurm.user.home)]


def test_a_node_s_loopback_is_not_the_login_host(slurm: Slurm) -> None:
    server = slurm.popen_as_user(
        [sys.executable, "-u", "-m", "http.server", "8000", "--bind", "0.0.0.0"]
    )
    wait_until(lambda: "Serving" in server.out, "the server listens")
    dial = "import socket, sys; socket.create_connection((sys.argv[1], 8000), 3)"

    def reaches(address: str) -> bool:
        return (
            slurm.run_as_user(["srun", sys.executable, "-c", dial, address]).code == 0
        )

    assert reaches(slurm.hosts["login"].address)
    assert not reaches("127.0.0.1")
    assert not reaches(outside_address("login"))
    server.send(signal.SIGKILL)
    server.wait()


def test_temporary_folders_are_not_shared(slurm: Slurm) -> None:
    slurm.run_as_user(["touch", "/tmp/here"])
    assert slurm.hosts["login"].path("/tmp/here").exists()
    assert slurm.run_as_user(["srun", "ls", "/tmp/here"]).code != 0
    assert not Path("/tmp/here").exists()
    slurm.run_as_user(["rm", "/tmp/here"])


def test_the_command_line_runs_on_nodes(slurm: Slurm) -> None:
    said = slurm.run_as_user(["srun", "-N3", "trap-hpc", "--version"])
    assert said.out.count("trap-hpc, version") == 3, str(said)


def test_another_user_can_t_read_the_user_s_files(slurm: Slurm) -> None:
    assert slurm.run_as_user(["ls", slurm.work]).code == 0
    said = slurm.run_as_user(["ls", slurm.work], user=slurm.other)
    assert "Permission denied" in said.err


def test_a_second_login_host_sees_the_same_queue(slurm: Slurm) -> None:
    submitted = slurm.run_as_user(["sbatch", "--parsable", "--wrap", "sleep 60"])
    listed = slurm.run_as_user(["squeue", "--me", "-h", "-o", "%i"], host="login2")
    assert listed.out == submitted.out
    slurm.run_as_user(["scancel", submitted.out.strip()], host="login2")
    wait_until(lambda: not slurm.squeue(), "the job is gone")


@pytest.fixture
def able() -> None:
    if missing := what_is_missing():
        lacking(missing)


@pytest.fixture
def impatient(able: None) -> Iterator[Slurm]:
    """A cluster that soon takes a silent node for down."""
    with cluster(nodes=2, SlurmdTimeout="3") as slurm:
        yield slurm


def test_a_node_that_is_cut_off_goes_down_and_returns(impatient: Slurm) -> None:
    slurm = impatient
    slurm.node(2).cut()
    wait_until(lambda: "down" in " ".join(slurm.node_states()), "n2 is down", 60)
    assert slurm.run_as_user(["srun", "-n2", "hostname"]).out.split() == ["n1", "n1"]
    slurm.node(2).heal()
    slurm.kill_slurmd(2)
    slurm.start_slurmd(2)
    slurm.wait_idle()


def test_a_node_that_is_switched_off_loses_its_processes(impatient: Slurm) -> None:
    slurm = impatient
    submit = ["sbatch", "-w", "n2", "--no-requeue", "--wrap", "sleep 600"]
    assert slurm.run_as_user(submit).code == 0
    wait_until(lambda: "sleep" in slurm.node(2).run(["ps", "ax"]).out, "it runs")
    slurm.node(2).end()
    wait_until(lambda: not slurm.squeue(), "the job has ended", 60)
    slurm.node(2).power_on()
    assert "sleep" not in slurm.node(2).run(["ps", "ax"]).out
    slurm.start_slurmd(2)
    slurm.wait_idle()


def test_a_controller_can_be_away_for_a_while(slurm: Slurm) -> None:
    slurm.stop_controller()
    asked = slurm.popen_as_user(["timeout", "1", "squeue"])
    assert asked.wait().code != 0
    slurm.start_controller()
    slurm.freeze_controller()
    assert slurm.run_as_user(["timeout", "1", "squeue"]).code == 124
    slurm.thaw_controller()
    assert slurm.run_as_user(["squeue"]).code == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["-p", "nope"], "invalid partition specified: nope"),
        (["--mem=100G"], "Memory specification can not be satisfied"),
        (["-A", "nobody"], "Invalid account or account/partition"),
    ],
)
def test_what_can_t_be_is_refused(slurm: Slurm, options: list[str], words: str) -> None:
    said = slurm.run_as_user(["sbatch", *options, "--wrap", "true"])
    assert said.code == 1
    assert words in said.err


@pytest.mark.usefixtures("able")
def test_two_clusters_do_not_see_each_other() -> None:
    with cluster(nodes=1) as one, cluster(nodes=2, cpus=8) as other:
        assert one.run_as_user(["srun", "-n", "2", "hostname"]).out == "n1\nn1\n"
        said = other.run_as_user(["srun", "-n", "16", "hostname"])
        assert said.out.split().count("n2") == 8
        assert one.name != other.name


@pytest.mark.usefixtures("able")
def test_nothing_is_left_of_a_cluster() -> None:
    with cluster(nodes=1) as slurm:
        slurm.run_as_user(["sbatch", "--wrap", "setsid sleep 1000"])
        wait_until(lambda: "RUNNING" in " ".join(slurm.squeue()), "the job runs")
        folder = slurm.folder
        assert processes_of(folder)
    assert not folder.exists()
    assert not processes_of(folder)
    assert not has_network()


KILLED = """
import os, signal
from tests.cluster.up import cluster
with cluster(nodes=1) as slurm:
    print(slurm.folder, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.usefixtures("able")
def test_nothing_is_left_when_the_test_is_killed() -> None:
    argv = [sys.executable, "-c", KILLED]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL
    folder = Path(done.stdout.strip())
    wait_until(lambda: not folder.exists(), "the folder is gone")
    wait_until(lambda: not processes_of(folder), "all processes are gone")


@pytest.mark.usefixtures("able")
def test_what_a_killed_keeper_left_is_removed_by_the_next() -> None:
    dead = FOLDERS / f"{PREFIX}dead"
    dead.mkdir()
    (dead / "lock").touch()
    with cluster(nodes=1):
        assert not dead.exists()


def processes_of(folder: Path) -> list[str]:
    found = subprocess.run(["ps", "axww"], capture_output=True, text=True, check=True)
    return [line for line in found.stdout.splitlines() if str(folder) in line]


def has_network() -> bool:
    return (Path("/sys/class/net") / "br0").exists()


def test_a_closed_folder_is_covered_and_what_is_needed_shows(tmp_path: Path) -> None:
    needed = tmp_path / "closed" / "deep" / "environment"
    needed.mkdir(parents=True)
    needed.parents[1].chmod(0o700)
    closed = next(p for p in reversed(needed.parents) if p.stat().st_mode & 5 != 5)
    (cover,) = covers_for(users_of(tmp_path), [needed])
    assert (cover.folder, cover.kept) == (str(closed), (str(needed),))


def test_of_a_folder_that_is_closed_itself_the_content_shows(tmp_path: Path) -> None:
    closed = tmp_path / "checkout"
    closed.mkdir(mode=0o700)
    (closed / "file").touch()
    (cover,) = covers_for(users_of(tmp_path), [closed])
    assert cover.kept == (str(closed / "file"),)
