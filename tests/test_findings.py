"""Findings are in memory as long as somebody may ask for them, and no longer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.samples import measured
from trap_hpc.paths import RunPaths
from trap_hpc.pipeline.measurements import save
from trap_hpc.pipeline.records import MeasuredImage
from trap_hpc.pipeline.tasks import Receipt
from trap_hpc.run.findings import Findings
from trap_hpc.run.ledger import Ledger

BATCH = 7
IMAGES = [measured(name) for name in ("a.fits", "b.fits", "c.fits")]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    paths = RunPaths(tmp_path / "run")
    paths.make()
    ledger = Ledger(paths.ledger, create=True)
    yield ledger
    ledger.close()


@pytest.fixture
def findings(tmp_path: Path, ledger: Ledger) -> Findings:
    paths = RunPaths(tmp_path / "run")
    name = f"measure-1-{BATCH:06d}"
    checksum = save(paths.measurements / f"{name}.1.h5", IMAGES)
    ledger.sent(BATCH, name, "measure", len(IMAGES), 1)
    receipt = Receipt(file=f"{name}.1.h5", checksum=checksum, items=3, seconds=1.0)
    ledger.finished(BATCH, receipt)
    return Findings(ledger, paths)


def content(findings: Findings, names: Sequence[str]) -> list[int]:
    found = [findings.get(BATCH, name) for name in names]
    return [len(each.blind) for each in found if isinstance(each, MeasuredImage)]


def test_nothing_is_kept_of_what_was_dropped(findings: Findings) -> None:
    findings.keep(BATCH, IMAGES)
    for image in IMAGES:
        findings.drop(BATCH, image.header.address)
        findings.drop(BATCH, image.header.address)
    assert not findings._batches
    assert findings._bytes == 0


def test_what_was_dropped_is_read_again_if_it_is_wanted(findings: Findings) -> None:
    findings.keep(BATCH, IMAGES)
    findings.drop(BATCH, "b.fits")
    assert content(findings, ["a.fits", "b.fits", "c.fits"]) == [3, 3, 3]
    for image in IMAGES:
        findings.drop(BATCH, image.header.address)
    assert findings._bytes == 0


def test_the_oldest_make_room(ledger: Ledger, tmp_path: Path) -> None:
    small = Findings(ledger, RunPaths(tmp_path / "run"), limit_bytes=1)
    small.keep(1, IMAGES)
    small.keep(2, IMAGES)
    assert list(small._batches) == [2]
    small.drop(1, "a.fits")
