"""A worker goes on only while it sees that its launcher is alive."""

from __future__ import annotations

from pathlib import Path

from trap_hpc.engines.lease import Beat, LeaseWatch, read_beat, write_beat


def test_a_lease_must_be_seen_to_change() -> None:
    now_s = [0.0]
    watch = LeaseWatch(10, lambda: now_s[0])
    watch.see("file", Beat(1, 5))
    assert not watch.renewed, "it may have stood there for long"
    now_s[0] = 4.0
    watch.see("file", Beat(1, 5))
    assert watch.left_s == 6
    watch.see("broker", Beat(1, 1))
    assert not watch.renewed
    watch.see("file", Beat(1, 6))
    assert watch.renewed
    assert watch.left_s == 10


def test_a_lease_that_has_run_out_is_over() -> None:
    now_s = [0.0]
    watch = LeaseWatch(10, lambda: now_s[0])
    now_s[0] = 10.0
    watch.see("file", Beat(1, 6))
    watch.see("file", Beat(1, 7))
    assert watch.left_s <= 0
    assert not watch.renewed


def test_a_lease_counts_from_when_somebody_begins_to_look() -> None:
    now_s = [0.0]
    watch = LeaseWatch(10, lambda: now_s[0])
    watch.see("file", Beat(1, 5))
    now_s[0] = 60.0
    watch.begin_anew()
    assert watch.left_s == 10
    watch.see("file", Beat(1, 65))
    assert watch.renewed


def test_a_beat_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "lease"
    assert read_beat(path) is None
    write_beat(path, Beat(3, 4))
    assert read_beat(path) == Beat(3, 4)
    path.write_text("half a be")
    assert read_beat(path) is None
