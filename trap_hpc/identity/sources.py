"""The package's Python files, whether it lies in a folder or in a zip file."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import trap_hpc

PACKAGE = Path(trap_hpc.__file__).parent
"""Within a zip file only the import system can look there."""


def archive() -> Path | None:
    """Return the zip file that the package is imported from, if it is one."""
    return PACKAGE.parent if PACKAGE.parent.is_file() else None


@cache
def sources() -> Mapping[str, bytes]:
    """Return all Python files, in order: ``run/plan.py`` and its content.

    They are read once, so that the identity and the snapshot are of the same code.
    """
    zipped = archive()
    found = _in_folder() if zipped is None else _in_zip(zipped)
    return dict(sorted(found.items()))


def _in_folder() -> dict[str, bytes]:
    return {
        path.relative_to(PACKAGE).as_posix(): path.read_bytes()
        for path in PACKAGE.rglob("*.py")
    }


def _in_zip(path: Path) -> dict[str, bytes]:
    start = f"{PACKAGE.name}/"
    with zipfile.ZipFile(path) as stream:
        return {
            name.removeprefix(start): stream.read(name)
            for name in stream.namelist()
            if name.startswith(start) and name.endswith(".py")
        }
