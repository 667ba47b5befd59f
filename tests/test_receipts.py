"""Measurement files that are seen later than they are told of."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stand_ins import Time
from trap_hpc.pipeline.measurements import save
from trap_hpc.pipeline.records import Refusal
from trap_hpc.pipeline.tasks import Receipt
from trap_hpc.run.receipts import PATIENCE_S, Receipts, Seen

FOUND = [Refusal(address="a.fits", kind="left out", reason="test")]


def a_file(path: Path) -> Receipt:
    """Write a measurement file, and hide it."""
    checksum = save(path, FOUND)
    path.rename(path.with_suffix(".hidden"))
    return Receipt(file=path.name, checksum=checksum, items=1, seconds=1.0)


def looked(receipts: Receipts[str], time: Time, seconds: float) -> list[Seen[str]]:
    """Look as often as a driver does, until something is settled."""
    until_s = time() + seconds
    while time() < until_s:
        if seen := list(receipts.look()):
            return seen
        time.sleep(0.1)
    return []


def test_a_file_that_is_there_is_read_at_once(tmp_path: Path) -> None:
    receipts: Receipts[str] = Receipts(tmp_path, Time())
    receipt = a_file(tmp_path / "one.h5")
    (tmp_path / "one.hidden").rename(tmp_path / "one.h5")
    receipts.add("one", receipt)
    (seen,) = receipts.look()
    assert (seen.whose, seen.findings) == ("one", FOUND)
    assert len(receipts) == 0


@pytest.mark.parametrize("after_s", [0.2, 1.0, 8.0])
def test_a_file_that_is_seen_late_is_waited_for(tmp_path: Path, after_s: float) -> None:
    time = Time()
    receipts: Receipts[str] = Receipts(tmp_path, time)
    receipts.add("one", a_file(tmp_path / "one.h5"))
    assert looked(receipts, time, after_s) == []
    (tmp_path / "one.hidden").rename(tmp_path / "one.h5")
    (seen,) = looked(receipts, time, after_s + 1)
    assert seen.findings == FOUND


def test_a_file_that_is_not_yet_whole_is_waited_for(tmp_path: Path) -> None:
    time = Time()
    receipts: Receipts[str] = Receipts(tmp_path, time)
    receipts.add("one", a_file(tmp_path / "one.h5"))
    whole = (tmp_path / "one.hidden").read_bytes()
    (tmp_path / "one.h5").write_bytes(whole[:100])
    assert looked(receipts, time, 3) == []
    (tmp_path / "one.h5").write_bytes(whole)
    (seen,) = looked(receipts, time, 4)
    assert seen.findings == FOUND


def test_others_are_not_kept_waiting(tmp_path: Path) -> None:
    receipts: Receipts[str] = Receipts(tmp_path, Time())
    receipts.add("late", a_file(tmp_path / "late.h5"))
    assert list(receipts.look()) == []
    receipts.add("there", a_file(tmp_path / "there.h5"))
    (tmp_path / "there.hidden").rename(tmp_path / "there.h5")
    (seen,) = receipts.look()
    assert seen.whose == "there"
    assert len(receipts) == 1


def test_a_file_that_never_comes_is_given_up(tmp_path: Path) -> None:
    time = Time()
    receipts: Receipts[str] = Receipts(tmp_path, time)
    receipts.add("one", a_file(tmp_path / "one.h5"))
    began_s = time()
    (seen,) = looked(receipts, time, 60)
    assert PATIENCE_S <= time() - began_s <= 2 * PATIENCE_S
    assert seen.findings is None
    assert "one.h5 can't be read" in seen.why
    assert len(receipts) == 0
