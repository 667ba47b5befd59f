"""A process that writes a ledger is killed, again and again: no half transaction."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.kills import KILLS, killed_after
from tests.ledger_writer import GOOD, paths_of, receipt_of
from trap_hpc.errors import RunError
from trap_hpc.run.ledger import Ledger

ENOUGH = 50
"""Of so many kills, some come in the middle of a transaction."""
LONGEST_S = 0.15
"""Some turns of the writer."""


def kept(lines: list[str]) -> int:
    """Return the last turn that the writer said it had kept."""
    whole = [line.strip() for line in lines if line.endswith("\n")]
    return max((int(line) for line in whole if line.isdigit()), default=0)


def has_journal(path: Path) -> bool:
    """Whether the writer died in the middle of a transaction: SQLite takes it back."""
    journal = path.with_name(f"{path.name}-journal")
    return journal.exists() and any(journal.read_bytes()[:8])


def assert_whole(path: Path, at_least: int) -> int:
    """Hold the ledger against what its turns must have brought; return how many."""
    ledger = Ledger(path)
    try:
        last = int(ledger.fact("turn", "0"))
        assert last >= at_least, "what was committed is kept"
        turns = range(1, last + 1)
        assert ledger._all("PRAGMA integrity_check") == [("ok",)]
        assert ledger.next_batch() == last + 1
        assert [ledger.file(turn) for turn in turns] == [
            (receipt_of(turn).file, receipt_of(turn).checksum) for turn in turns
        ]
        assert [image.batch for image in ledger.images()] == [
            turn for turn in turns for _ in range(GOOD)
        ]
        assert sorted(r.reason for r in ledger.refusals()) == sorted(
            f"turn {turn}" for turn in turns
        )
        forced = [
            batch for batches in ledger.forced_batches().values() for batch in batches
        ]
        assert sorted(forced) == list(turns)
        assert not ledger.unscanned()
        (paths,) = ledger._all("SELECT count(*) FROM path")[0]
        assert paths == sum(len(paths_of(turn)) for turn in turns)
    finally:
        ledger.close()
    return last


def test_a_ledger_survives_kills_at_any_moment(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    Ledger(path, create=True).close()
    moment = random.Random(4)
    turns = halfway = 0
    for _ in range(KILLS):
        delay_s = moment.uniform(0, LONGEST_S)
        lines = killed_after(["-m", "tests.ledger_writer", str(path)], delay_s)
        halfway += has_journal(path)
        turns = assert_whole(path, max(turns, kept(lines)))
    assert turns > KILLS / 2, "it gets on all the same"
    assert halfway or KILLS < ENOUGH, "some came in the middle of a transaction"


def test_a_ledger_is_made_whole_or_not_at_all(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; "
        "from trap_hpc.run.ledger import Ledger; print(1, flush=True); "
        "[Ledger(Path(sys.argv[1]) / str(n), create=True).close() "
        "for n in range(10**6)]"
    )
    moment = random.Random(5)
    for kill in range(KILLS):
        folder = tmp_path / str(kill)
        folder.mkdir()
        killed_after(["-c", program, str(folder)], moment.uniform(0, 0.05))
        names = {p.name for p in folder.iterdir() if p.suffix == ""}
        made = sorted((n for n in names if n.isdigit()), key=int)
        for name in made[:-1]:
            Ledger(folder / name).close()
        if made:
            _assert_whole_or_empty(folder / made[-1])


def _assert_whole_or_empty(path: Path) -> None:
    try:
        ledger = Ledger(path)
    except RunError as error:
        told = str(error)
    else:
        told = ""
        assert not ledger.images()
        ledger.close()
    assert not told or "killed while it was being made" in told


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0"])
def test_a_ledger_that_was_never_finished_is_told(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(content)
    with pytest.raises(RunError, match="being made|damaged"):
        Ledger(path)
