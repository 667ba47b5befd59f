"""Files that are written or read where others may write, too."""

from __future__ import annotations

import os
import sqlite3
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.command_line import CommandLine
from tests.strangers import for_a_group, given_away
from trap_hpc.errors import RunError, UsageError
from trap_hpc.files import replacing, write_whole
from trap_hpc.paths import RunPaths


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(capsys)


def test_a_file_that_is_being_written_has_a_name_that_nobody_knows(
    tmp_path: Path,
) -> None:
    names = set()
    for _ in range(2):
        with replacing(tmp_path / "file") as (temporary, _):
            names.add(temporary.name)
            with pytest.raises(FileExistsError):
                os.open(temporary, os.O_CREAT | os.O_EXCL)
    assert len(names) == 2


def test_nothing_is_written_through_a_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    monkeypatch.setattr("secrets.token_hex", lambda size: "guessed")
    link = tmp_path / f".file.{os.getpid()}.guessed.tmp"
    link.symlink_to(precious)
    with pytest.raises(RunError, match="exists"):
        write_whole(tmp_path / "file", b"theirs")
    assert precious.read_text() == "mine"


def test_an_empty_folder_of_another_is_not_taken_for_a_run(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir(mode=0o777)
    given_away(tmp_path / "run")
    with pytest.raises(UsageError, match="it belongs to"):
        RunPaths(tmp_path / "run").make()


def hot_journal(catalogue: Path, victim: Path) -> None:
    """Let it seem that a writer was broken off that had ``victim`` for a journal."""
    size, magic = 4096, bytes.fromhex("d9d505f920a163d7")
    pages, name = catalogue.stat().st_size // size, str(victim).encode()
    head = magic + struct.pack(">5I", 0, 1, pages, 512, size)
    place = struct.pack(">I", 2**30 // size + 1)
    tail = struct.pack(">2I", len(name), sum(name)) + magic
    journal = catalogue.with_name(f"{catalogue.name}-journal")
    journal.write_bytes(head.ljust(512, b"\0") + place + name + tail)


@pytest.mark.parametrize("give", [given_away, for_a_group])
def test_looking_at_a_catalogue_of_another_deletes_no_file_of_ours(
    tmp_path: Path, call: CommandLine, give: Callable[[Path], object]
) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "plan.toml").touch()
    with sqlite3.connect(theirs / "catalogue.sqlite") as made:
        made.execute("CREATE TABLE version (name, value)")
    made.close()
    precious = tmp_path / "precious"
    precious.write_text("mine\n")
    hot_journal(theirs / "catalogue.sqlite", precious)
    give(theirs)
    said = call("candidates", theirs)
    assert said.code == 1
    assert "not yours to put right" in said.err
    assert precious.read_text() == "mine\n"
