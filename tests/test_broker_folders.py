"""Folders of brokers that nobody remembers are removed, and no others."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.brokers import is_gone, launcher, private_broker, wait_until
from trap_hpc.engines.redis_server import leftovers, places
from trap_hpc.engines.redis_server.folder import ServerFolder, read_order, write_order
from trap_hpc.engines.redis_server.leftovers import NEW_S, remove_dead_folders


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


def test_folders_of_other_hosts_and_of_nobody_s_are_left_alone(
    tmp_path: Path, shelf: Path
) -> None:
    with private_broker(tmp_path) as private:
        order = read_order(ServerFolder(private.folder))
    theirs = places.make_folder()
    write_order(theirs, replace(order, host="elsewhere", launcher=2**22))
    others = shelf / f"{places.PREFIX}open"
    others.mkdir(mode=0o755)
    (shelf / f"{places.PREFIX}link").symlink_to(tmp_path)
    remove_dead_folders()
    assert theirs.path.exists()
    assert others.exists()
    assert tmp_path.exists()
    write_order(theirs, replace(order, launcher=2**22))
    remove_dead_folders()
    assert not theirs.path.exists()
