"""What came of each run, a line of JSON each: a session broken off loses nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.faults.trial import Result

STORM = "storm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One run of a campaign. ``kind``: a fault's name, or ``storm``."""

    kind: str
    number: int
    seed: int
    result: Result


class Records:
    """A file of records, which grows."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __iter__(self) -> Iterator[Record]:
        if not self._path.exists():
            return
        for line in self._path.read_text().splitlines():
            values = json.loads(line)
            yield Record(**{**values, "result": Result(**values["result"])})

    def add(self, record: Record) -> None:
        with self._path.open("a") as stream:
            stream.write(json.dumps(asdict(record)) + "\n")

    def of(self, kind: str) -> list[Record]:
        return [record for record in self if record.kind == kind]

    def tries(self, kind: str) -> int:
        """How often a fault has been injected in runs of its own."""
        return sum(record.result.tries.get(kind, 0) for record in self.of(kind))
