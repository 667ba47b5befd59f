"""Which code this is: the same identity gives the same results.

A hash over this package's files, Python, and the packages whose code touches a result.
Configuration is not part of it. A run notes it, so that it is never finished by other
code than it was begun with.
"""

from __future__ import annotations

import hashlib
import sys
import sysconfig
from functools import cache
from importlib import metadata
from pathlib import Path

DEPENDENCIES = ("astropy", "h5py", "numpy", "scipy")


@cache
def identity() -> str:
    """Return the identity of the code that is running, as 16 hexadecimal digits."""
    digest = hashlib.blake2b(digest_size=8)
    for path in _own_files():
        digest.update(f"{path.relative_to(_package())}\0".encode())
        digest.update(path.read_bytes())
    for line in _surroundings():
        digest.update(f"{line}\n".encode())
    return digest.hexdigest()


def _package() -> Path:
    return Path(__file__).parent


def _own_files() -> list[Path]:
    return sorted(_package().rglob("*.py"))


def _surroundings() -> list[str]:
    python = f"python {sys.version_info[:3]} {sysconfig.get_config_var('SOABI')}"
    return [python, *(_distribution(name) for name in DEPENDENCIES)]


def _distribution(name: str) -> str:
    """Name, version and contents of an installed package."""
    distribution = metadata.distribution(name)
    record = distribution.read_text("RECORD") or ""
    contents = hashlib.blake2b(record.encode(), digest_size=8).hexdigest()
    return f"{name} {distribution.version} {contents}"
