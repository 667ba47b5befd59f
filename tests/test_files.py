"""Files are written whole or not at all, and nothing else stays."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from trap_hpc.errors import StorageError
from trap_hpc.files import write_whole


@pytest.mark.parametrize("trouble", [KeyboardInterrupt, OSError])
def test_a_write_that_is_broken_off_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: type[BaseException]
) -> None:
    path = tmp_path / "status.json"
    write_whole(path, b"before")

    def break_off(_: int) -> None:
        raise trouble

    monkeypatch.setattr(os, "fsync", break_off)
    with pytest.raises((KeyboardInterrupt, StorageError)):
        write_whole(path, b"after")
    assert path.read_bytes() == b"before"
    assert os.listdir(tmp_path) == ["status.json"]


def test_a_private_file_is_its_owner_s_alone(tmp_path: Path) -> None:
    path = tmp_path / "broker.json"
    write_whole(path, b"secret", private=True)
    assert path.stat().st_mode & 0o777 == 0o600
