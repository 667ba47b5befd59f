"""Measurement files are whole, checked, and say what was put in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.samples import HEADER, forced, measured
from trap_hpc.errors import MeasurementError, StorageError
from trap_hpc.pipeline.measurements import Finding, load, save
from trap_hpc.pipeline.records import MeasuredImage, Refusal, Rejection


def test_every_kind_of_finding_reads_back_equal(tmp_path: Path) -> None:
    rejected = MeasuredImage(
        header=HEADER,
        content="c",
        rms_qc=0.3,
        rejection=Rejection(reason=1, comment="Beam too elliptical"),
    )
    refusal = Refusal(address="bad.fits", kind="unreadable", reason="no pixels")
    findings: list[Finding] = [
        measured("a.fits", count=4),
        refusal,
        rejected,
        measured("b.fits", step=1, count=0),
        HEADER,
    ]
    path = tmp_path / "batch.h5"
    back = load(path, save(path, findings))
    assert back[1] == refusal
    assert back[4] == HEADER
    for n in (0, 2, 3):
        ours, theirs = findings[n], back[n]
        assert isinstance(ours, MeasuredImage)
        assert isinstance(theirs, MeasuredImage)
        assert theirs.header == ours.header
        assert theirs.rejection == ours.rejection
        assert theirs.blind.tobytes() == ours.blind.tobytes()


def test_forced_fits_keep_their_requests(tmp_path: Path) -> None:
    findings = [forced("a.fits", [3, -1]), forced("b.fits", [7])]
    path = tmp_path / "batch.h5"
    back = load(path, save(path, findings))
    for ours, theirs in zip(findings, back, strict=True):
        assert theirs.address == ours.address  # type: ignore[union-attr]
        assert np.array_equal(theirs.requests, ours.requests)  # type: ignore[union-attr]
        assert theirs.fits.tobytes() == ours.fits.tobytes()  # type: ignore[union-attr]


def test_the_same_findings_make_the_same_bytes(tmp_path: Path) -> None:
    one = save(tmp_path / "one.h5", [measured()], batch="x")
    two = save(tmp_path / "two.h5", [measured()], batch="x")
    assert one == two


@pytest.mark.parametrize("damage", ["cut", "flip", "gone"])
def test_a_damaged_file_is_noticed(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "batch.h5"
    checksum = save(path, [measured()])
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content[:-1] if damage == "cut" else content)
    if damage == "gone":
        path.unlink()
    with pytest.raises(MeasurementError, match=r"batch\.h5"):
        load(path, checksum)


def test_a_folder_that_is_gone_is_told_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="check that the folder exists"):
        save(tmp_path / "gone" / "batch.h5", [measured()])


def test_no_temporary_file_stays(tmp_path: Path) -> None:
    save(tmp_path / "batch.h5", [measured()])
    assert [path.name for path in tmp_path.iterdir()] == ["batch.h5"]
