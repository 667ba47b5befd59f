"""The ledger keeps what is committed, for one launcher at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.samples import HEADER
from trap_hpc.errors import RunError, StorageError
from trap_hpc.pipeline.records import Refusal
from trap_hpc.pipeline.tasks import Receipt
from trap_hpc.run.ledger import Ledger


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    ledger = Ledger(path, create=True)
    ledger.add_paths(["night.fits", "bad.fits", "later.fits"])
    yield ledger
    ledger.close()


BAD = Refusal(address="bad.fits", kind="unreadable", reason="no pixels")


def test_a_scan_says_what_is_left_to_scan(ledger: Ledger) -> None:
    ledger.scanned([1, 2], [HEADER, BAD])
    assert ledger.unscanned() == [(3, "later.fits")]
    (image,) = ledger.images()
    assert (image.address, image.batch) == ("night.fits", None)
    assert ledger.refusals() == [BAD]


def test_a_measured_image_leads_to_its_file(ledger: Ledger) -> None:
    ledger.scanned([1], [HEADER])
    ledger.sent(1, "measure-1-000001", "measure", 1, 1)
    receipt = Receipt(file="measure-1-000001.1.h5", checksum="ab", items=1, seconds=1.0)
    ledger.finished(1, receipt)
    ledger.measured(1, [1])
    (image,) = ledger.images()
    assert image.batch == 1
    assert ledger.file(1) == ("measure-1-000001.1.h5", "ab")
    assert ledger.next_batch() == 2


def test_what_was_not_committed_is_done_again(path: Path, ledger: Ledger) -> None:
    ledger.commit()
    ledger.scanned([1], [HEADER])
    ledger.close()
    again = Ledger(path)
    assert len(again.unscanned()) == 3
    again.close()


def test_refused_images_can_be_tried_again(ledger: Ledger) -> None:
    ledger.scanned([1, 2], [HEADER, BAD])
    failed = Refusal(address="night.fits", kind="failed", reason="its worker died")
    ledger.measured(1, [1])
    ledger.refuse("measure", [failed])
    assert not ledger.images()
    assert ledger.forget_refusals() == 2
    (image,) = ledger.images()
    assert image.batch is None
    assert [name for _, name in ledger.unscanned()] == ["bad.fits", "later.fits"]
    assert not ledger.refusals()


def test_a_second_launcher_is_turned_away(path: Path, ledger: Ledger) -> None:
    with pytest.raises(RunError, match="another trap-hpc is working"):
        Ledger(path)


def test_a_folder_without_ledger_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="not a run to resume"):
        Ledger(tmp_path / "ledger.sqlite")


def test_a_file_that_is_no_ledger_is_told(path: Path) -> None:
    path.write_text("this is a text file, " * 100)
    with pytest.raises(RunError, match="damaged"):
        Ledger(path)


def test_a_full_disk_is_told_with_a_remedy(path: Path, ledger: Ledger) -> None:
    ledger.commit()
    ledger._db.execute("PRAGMA max_page_count = 1")
    with pytest.raises(StorageError, match="free some space"):
        ledger.add_paths(f"{n}.fits" * 100 for n in range(1000))


def test_the_journal_is_not_a_write_ahead_log(path: Path, ledger: Ledger) -> None:
    ledger.close()
    (mode,) = sqlite3.connect(path).execute("PRAGMA journal_mode").fetchone()
    assert mode == "delete"
