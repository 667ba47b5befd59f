"""``identity.json``: which code a run was begun with, part by part."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from trap_hpc.errors import RunError
from trap_hpc.files import write_whole
from trap_hpc.identity.code import (
    Part,
    differences,
    identity,
    own_part,
    surroundings,
)
from trap_hpc.identity.sources import sources

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRecord:
    """The code of a run."""

    identity: str
    parts: tuple[Part, ...]

    @property
    def surroundings(self) -> tuple[Part, ...]:
        """All parts but this package itself."""
        return self.parts[1:]


def code_record() -> CodeRecord:
    """Return which code is running."""
    own = own_part(sources())
    return CodeRecord(identity=identity(), parts=(own, *surroundings()))


def write_code_record(path: Path) -> None:
    """Note which code is running.

    Raises
    ------
    StorageError
        The file can't be written.
    """
    record = {"schema_version": SCHEMA_VERSION, **asdict(code_record())}
    write_whole(path, json.dumps(record, indent=1).encode())


def read_code_record(path: Path) -> CodeRecord:
    """Read what `write_code_record` wrote.

    Raises
    ------
    RunError
        It is not there or can't be read.
    """
    try:
        record: dict[str, Any] = json.loads(path.read_bytes())
        parts = tuple(Part(**part) for part in record["parts"])
        return CodeRecord(identity=record["identity"], parts=parts)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RunError(f"{path} can't be read: {error}") from None


def refusal(path: Path, expected: str) -> str:
    """Say that this is not code ``expected``, and in what it differs; "" if it is it.

    ``path`` is the run's ``identity.json``; without it only the two are named.
    """
    if expected == identity():
        return ""
    said = f"the run's code is {expected}, and this is {identity()}"
    try:
        differing = differences(read_code_record(path).parts, code_record().parts)
    except RunError:
        return said
    return f"{said}: {'; '.join(differing)}" if differing else said
