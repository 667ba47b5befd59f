"""The private broker ends with its run, however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from tests.brokers import (
    client,
    is_gone,
    launcher,
    private_broker,
    server_of,
    wait_until,
)
from trap_hpc.engines.redis_server.folder import (
    ServerFolder,
    read_order,
    write_order,
)
from trap_hpc.engines.redis_server.leftovers import remove_leftovers
from trap_hpc.errors import BrokerError

LEASE_S = 2.0
SLACK_S = 3.0


def test_a_launcher_that_is_killed_leaves_nothing_after_a_lease(
    tmp_path: Path,
) -> None:
    with launcher(tmp_path, LEASE_S) as (process, folder, processes):
        process.kill()
        ended = time.monotonic()
        wait_until(lambda: all(map(is_gone, processes)), LEASE_S + SLACK_S)
        assert time.monotonic() - ended > LEASE_S - 0.1
        assert not folder.exists()
        assert not (tmp_path / "broker.json").exists()


def test_a_guard_that_is_killed_takes_the_server_with_it(tmp_path: Path) -> None:
    with private_broker(tmp_path, lease_s=60.0) as private:
        server = server_of(private)
        private.guard.kill()
        wait_until(lambda: is_gone(server), 2.0)
        assert not private.alive()
    assert not private.folder.exists()
    assert not (tmp_path / "broker.json").exists()


def test_what_remains_when_launcher_and_guard_are_killed_is_removed_later(
    tmp_path: Path,
) -> None:
    with launcher(tmp_path, 60.0) as (process, folder, processes):
        processes[0].kill()
        process.kill()
        wait_until(lambda: all(map(is_gone, processes)), 2.0)
        assert (tmp_path / "broker.json").exists()
        assert "a broker was dead; its folder" in remove_leftovers(folder)
        assert not folder.exists()
        assert not (tmp_path / "broker.json").exists()
        assert remove_leftovers(folder) == ""


def test_leftovers_that_run_are_ended_at_once(tmp_path: Path) -> None:
    with launcher(tmp_path, 600.0) as (process, folder, processes):
        process.kill()
        process.wait()
        assert "a broker was ended" in remove_leftovers(folder)
        wait_until(lambda: all(map(is_gone, processes)), 1.0)
        assert not folder.exists()
        assert not (tmp_path / "broker.json").exists()


def test_a_frozen_guard_does_not_save_the_server(tmp_path: Path) -> None:
    with launcher(tmp_path, 600.0) as (process, folder, processes):
        process.kill()
        processes[0].suspend()
        assert "a broker was ended" in remove_leftovers(folder)
        wait_until(lambda: all(map(is_gone, processes)), 1.0)
        assert not folder.exists()


def test_a_launcher_that_ends_well_leaves_nothing(tmp_path: Path) -> None:
    with launcher(tmp_path, 60.0) as (process, folder, processes):
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(20) == 0
        assert all(map(is_gone, processes))
        assert not folder.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_guard_does_not_hear_what_is_meant_for_the_launcher(
    tmp_path: Path, number: signal.Signals
) -> None:
    with private_broker(tmp_path) as private, client(private) as known:
        assert os.getsid(private.guard.pid) == private.guard.pid
        private.guard.send_signal(number)
        with pytest.raises(subprocess.TimeoutExpired):
            private.guard.wait(0.5)
        assert known.ping()


def test_a_guard_that_is_asked_to_end_lets_the_launcher_take_leave(
    tmp_path: Path,
) -> None:
    with launcher(tmp_path, 600.0) as (process, folder, processes):
        processes[0].terminate()
        with pytest.raises(psutil.TimeoutExpired):
            processes[0].wait(0.7)
        process.kill()
        wait_until(lambda: all(map(is_gone, processes)), 20.0)
        assert not folder.exists()


def test_a_guard_that_is_asked_to_end_without_a_launcher_does(tmp_path: Path) -> None:
    with launcher(tmp_path, 600.0) as (process, folder, processes):
        process.kill()
        process.wait()
        time.sleep(0.3)  # more than the guard takes to notice
        processes[0].terminate()
        wait_until(lambda: all(map(is_gone, processes)), 5.0)
        assert not folder.exists()


def test_a_suspended_launcher_keeps_its_broker(tmp_path: Path) -> None:
    with launcher(tmp_path, 0.2) as (process, _, processes):
        process.send_signal(signal.SIGSTOP)
        with pytest.raises(psutil.TimeoutExpired):
            processes[0].wait(1.0)


def test_a_process_with_a_used_again_id_is_left(tmp_path: Path) -> None:
    with launcher(tmp_path, 60.0) as (process, folder, processes):
        processes[0].kill()
        process.kill()
        wait_until(lambda: all(map(is_gone, processes)))
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1) as other:
            (folder / "guard.pid").write_text(f"{other.pid}\n")
            (folder / "redis.pid").write_text(f"{other.pid}\n")
            assert "a broker was dead" in remove_leftovers(folder)
            assert other.poll() is None
            other.kill()


def test_a_folder_that_is_half_removed_is_removed(tmp_path: Path) -> None:
    with launcher(tmp_path, 60.0) as (process, folder, processes):
        (folder / "guard.json").unlink()
        process.kill()
        assert "a broker was ended" in remove_leftovers(folder)
        wait_until(lambda: all(map(is_gone, processes)), 2.0)


def test_folders_that_are_not_a_brokers_are_left(tmp_path: Path) -> None:
    mine = tmp_path / "thesis"
    mine.mkdir(mode=0o700)
    (mine / "chapter.tex").write_text("It is known")
    link = tmp_path / "trap-hpc-broker-link"
    link.symlink_to(mine)
    shared = tmp_path / "trap-hpc-broker-shared"
    shared.mkdir(mode=0o777)
    shared.chmod(0o777)
    for path in (mine, link, shared):
        with pytest.raises(BrokerError, match="is not a broker's folder of yours"):
            remove_leftovers(path)
        assert path.exists()
    assert (mine / "chapter.tex").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_folder_of_somebody_else_is_left(tmp_path: Path) -> None:
    folder = tmp_path / "trap-hpc-broker-12345678"
    folder.mkdir(mode=0o700)
    os.chown(folder, 65534, 65534)
    with pytest.raises(BrokerError, match="is not a broker's folder of yours"):
        remove_leftovers(folder)


def test_a_broker_of_another_host_is_left(tmp_path: Path) -> None:
    with private_broker(tmp_path) as private:
        folder = ServerFolder(private.folder)
        order = read_order(folder)
        there = replace(order.launcher, host="login2", machine="another boot/1")
        write_order(folder, replace(order, launcher=there))
        with pytest.raises(BrokerError, match="is on login2: reap there"):
            remove_leftovers(private.folder)
        assert private.alive()
