"""Measurement files that are told of before they can be seen.

A shared file system shows some seconds later what was written on another host: until
then a file is not there, or not whole. It is looked for now and then, while the driver
goes on with other work; only then is its batch sent again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from trap_hpc.errors import MeasurementError
from trap_hpc.files import look_anew
from trap_hpc.pipeline.measurements import Finding, load
from trap_hpc.pipeline.tasks import Receipt

PATIENCE_S = 15.0
FIRST_LOOK_S = 0.25
"""It is looked for after this, then after twice as much, and so on."""

T = TypeVar("T")


@dataclass(slots=True)
class _Late(Generic[T]):
    whose: T
    receipt: Receipt
    since_s: float
    look_at_s: float
    why: str


@dataclass(frozen=True, slots=True)
class Seen(Generic[T]):
    """What became of a receipt."""

    whose: T
    receipt: Receipt
    findings: Sequence[Finding] | None
    """None: the file is missing or damaged."""
    why: str = ""


class Receipts(Generic[T]):
    """Receipts whose files are not yet to be seen; each belongs to something."""

    def __init__(
        self, folder: Path, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """``folder``: of the measurement files."""
        self._folder = folder
        self._clock = clock
        self._late: list[_Late[T]] = []

    def __len__(self) -> int:
        """How many are looked for."""
        return len(self._late)

    def add(self, whose: T, receipt: Receipt) -> None:
        """Take a receipt; `look` says what became of it, at once or later."""
        now_s = self._clock()
        self._late.append(_Late(whose, receipt, now_s, now_s, ""))

    def look(self) -> Iterator[Seen[T]]:
        """Yield those that are settled: their file is there, or is not waited for."""
        now_s = self._clock()
        due = [late for late in self._late if late.look_at_s <= now_s]
        if any(late.why for late in due):
            look_anew(self._folder)
        for late in due:
            seen = self._look_for(late, now_s)
            if seen is not None:
                self._late.remove(late)
                yield seen

    def _look_for(self, late: _Late[T], now_s: float) -> Seen[T] | None:
        path, receipt = self._folder / late.receipt.file, late.receipt
        try:
            return Seen(late.whose, receipt, load(path, receipt.checksum))
        except MeasurementError as error:
            late.why = str(error)
        waited_s = now_s - late.since_s
        if waited_s >= PATIENCE_S:
            return Seen(late.whose, receipt, None, late.why)
        late.look_at_s = now_s + max(waited_s, FIRST_LOOK_S)
        return None
