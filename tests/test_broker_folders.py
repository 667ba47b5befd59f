"""Folders of brokers that nobody remembers are removed, and no others."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.brokers import is_gone, launcher, private_broker, wait_until
from trap_hpc.alive import this_machine
from trap_hpc.engines.redis_server import leftovers, places
from trap_hpc.engines.redis_server.folder import (
    GuardOrder,
    ServerFolder,
    read_order,
    write_order,
)
from trap_hpc.engines.redis_server.leftovers import (
    NEW_S,
    remove_dead_folders,
    remove_leftovers,
)
from trap_hpc.errors import BrokerError


@pytest.fixture(autouse=True)
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where folders of brokers are made; short, and our own."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    for module in (places, leftovers):
        monkeypatch.setattr(module, "places", lambda: (str(folder),))
    yield folder
    remove_dead_folders()


def test_a_folder_of_which_no_process_is_left_is_removed(
    tmp_path: Path, shelf: Path
) -> None:
    with launcher(tmp_path, 60.0) as (process, folder, processes):
        moved = folder.rename(shelf / folder.name)
        remove_dead_folders()
        assert moved.exists(), "it is at work"
        processes[0].kill()
        wait_until(lambda: all(map(is_gone, processes)), 2.0)
        remove_dead_folders()
        assert moved.exists(), "its launcher may want to know how it ended"
        process.kill()
        process.wait()
        remove_dead_folders()
        assert not moved.exists()
        assert not (tmp_path / "broker.json").exists()


def test_the_next_broker_removes_what_nobody_remembers(
    tmp_path: Path, shelf: Path
) -> None:
    old = places.make_folder().path
    long_ago_s = time.time() - NEW_S - 1
    os.utime(old, (long_ago_s, long_ago_s))
    new = places.make_folder().path
    with private_broker(tmp_path):
        assert not old.exists()
        assert new.exists(), "somebody may just be making it"
    new.rmdir()


@pytest.fixture
def order(tmp_path: Path) -> GuardOrder:
    """One whose launcher, guard and server are gone."""
    with private_broker(tmp_path) as private:
        order = read_order(ServerFolder(private.folder))
    return replace(order, launcher=replace(order.launcher, pid=2**22))


def a_folder(order: GuardOrder, *, host: str = "", machine: str = "") -> Path:
    ended = order.launcher
    launcher = replace(ended, host=host or ended.host, machine=machine or ended.machine)
    folder = places.make_folder()
    write_order(folder, replace(order, launcher=launcher))
    return folder.path


def test_folders_of_other_hosts_and_of_nobody_s_are_left_alone(
    tmp_path: Path, shelf: Path, order: GuardOrder
) -> None:
    theirs = a_folder(order, host="elsewhere", machine="another boot/1")
    others = shelf / f"{places.PREFIX}open"
    others.mkdir(mode=0o755)
    (shelf / f"{places.PREFIX}link").symlink_to(tmp_path)
    ours = a_folder(order)
    remove_dead_folders()
    assert theirs.exists()
    assert others.exists()
    assert tmp_path.exists()
    assert not ours.exists()


def test_a_folder_of_a_container_on_the_same_host_is_left_alone(
    order: GuardOrder,
) -> None:
    """Its processes can't be seen from here, though the disk is the same."""
    boot = this_machine().partition("/")[0]
    theirs = a_folder(order, machine=f"{boot}/1")
    remove_dead_folders()
    assert theirs.exists()
    with pytest.raises(BrokerError, match="reap there"):
        remove_leftovers(theirs)


def test_a_folder_from_before_the_host_was_started_anew_is_removed(
    order: GuardOrder,
) -> None:
    pids = this_machine().partition("/")[2]
    old = a_folder(order, machine=f"an earlier boot/{pids}")
    remove_dead_folders()
    assert not old.exists()
