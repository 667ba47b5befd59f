"""Writes to a ledger until it is killed: ``python -m tests.ledger_writer PATH``.

Turn after turn it notes what a batch brings, in one transaction, and says so when it is
kept. What must be in the ledger after so many turns is therefore known.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tests.samples import HEADER
from trap_hpc.pipeline.records import Refusal
from trap_hpc.pipeline.tasks import Receipt
from trap_hpc.run.ledger import Ledger

GOOD = 2
"""Images that a turn brings; one more is refused, and one has no forced fits."""
MANY_EVERY, MANY, LONG = 7, 3000, 500
"""Now and then there is more than SQLite keeps in memory, and writes it early."""


def paths_of(turn: int) -> list[str]:
    more = range(MANY) if turn % MANY_EVERY == 0 else ()
    return [f"{turn}-{n}" for n in range(GOOD + 1)] + [
        f"{turn}+{n:0{LONG}}" for n in more
    ]


def receipt_of(turn: int) -> Receipt:
    return Receipt(file=f"{turn}.h5", checksum=f"{turn:x}", items=GOOD, seconds=1.0)


def write(ledger: Ledger, turn: int) -> None:
    """Note all that turn ``turn`` brings."""
    *good, bad = paths_of(turn)[: GOOD + 1]
    ledger.add_paths(paths_of(turn))
    known = {path: i for i, path in ledger.unscanned()}
    headers = [replace(HEADER, address=path, taustart_us=turn) for path in good]
    refusal = Refusal(address=bad, kind="unreadable", reason=f"turn {turn}")
    ledger.scanned(list(known.values()), [*headers, refusal])
    ledger.sent(turn, f"measure-{turn}", "measure", GOOD, 1)
    ledger.finished(turn, receipt_of(turn))
    ids = [image.id for image in ledger.find(good)]
    ledger.measured(turn, ids)
    ledger.forced(turn, ids[1:])
    ledger.note("turn", str(turn))


def turns(ledger: Ledger) -> Iterator[int]:
    """Count from the turn after the last that was kept."""
    turn = int(ledger.fact("turn", "0"))
    while True:
        turn += 1
        yield turn


def main() -> None:
    ledger = Ledger(Path(sys.argv[1]))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for turn in turns(ledger):
        write(ledger, turn)
        ledger.commit()
        sys.stdout.write(f"{turn}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
