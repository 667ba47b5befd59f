"""Certificates as files, for libraries that take nothing else."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from trap_hpc.engines.broker import Certificates
from trap_hpc.engines.celery.keyfiles import KeyFiles

PEM = Certificates(authority="authority", certificate="certificate", key="key")


def test_certificates_are_files_that_nobody_else_can_read() -> None:
    files = KeyFiles(PEM)
    assert Path(files.authority).read_text() == "authority"
    assert Path(files.key).read_text() == "key"
    assert stat.S_IMODE(Path(files.key).stat().st_mode) & 0o077 in (0, 0o077)
    assert files.key.startswith("/proc/self/fd/"), "it has no name in any folder"
    files.close()
    assert not Path(files.key).exists()


def test_where_memory_has_no_files_they_lie_in_a_folder_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(os, "memfd_create")
    files = KeyFiles(PEM)
    assert Path(files.key).read_text() == "key"
    assert stat.S_IMODE(Path(files.key).stat().st_mode) == 0o600
    files.close()
    assert not Path(files.key).exists()
