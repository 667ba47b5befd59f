"""What the identity is made of, and in what two of them differ."""

from __future__ import annotations

import hashlib
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import metadata

from trap_hpc import __version__
from trap_hpc.identity.sources import sources

DEPENDENCIES = ("astropy", "h5py", "numpy", "pyerfa", "scipy", "python-casacore")
"""Who lacks one has another identity; the last one nobody needs to have."""
OURSELVES = "trap_hpc"


@dataclass(frozen=True, slots=True)
class Part:
    """Something that results depend on."""

    name: str
    version: str
    content: str
    """Hash of its files; for Python itself its binary interface."""


@cache
def identity() -> str:
    """Return the identity of the code that is running, as 16 hexadecimal digits."""
    return identity_of([own_part(sources()), *surroundings()])


def identity_of(parts: Iterable[Part]) -> str:
    """Return the identity of code that is made of these parts."""
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        digest.update(f"{part.name}\0{part.version}\0{part.content}\n".encode())
    return digest.hexdigest()


def own_part(files: Mapping[str, bytes]) -> Part:
    """Return what this package is; ``files`` are its sources, by name."""
    digest = hashlib.blake2b(digest_size=8)
    for name, content in sorted(files.items()):
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return Part(OURSELVES, __version__, digest.hexdigest())


@cache
def surroundings() -> tuple[Part, ...]:
    """Return all parts but this package itself: Python, numpy and others."""
    version = ".".join(map(str, sys.version_info[:3]))
    abi = str(sysconfig.get_config_var("SOABI") or sys.implementation.cache_tag)
    return (Part("python", version, abi), *_distributions())


def _distributions() -> Iterator[Part]:
    for name in DEPENDENCIES:
        with suppress(metadata.PackageNotFoundError):
            yield _distribution(name)


def _distribution(name: str) -> Part:
    found = metadata.distribution(name)
    record = sorted(_of_code((found.read_text("RECORD") or "").splitlines()))
    content = hashlib.blake2b("\n".join(record).encode(), digest_size=8)
    return Part(name, found.version, content.hexdigest())


def _of_code(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines of a RECORD that are the same wherever a wheel is installed.

    Not so are scripts, which name their interpreter, bytecode, which has no hash, and
    the notes of the installer.
    """
    for line in lines:
        path, _, rest = line.rpartition("sha256=")
        if rest and not path.startswith("..") and ".dist-info/" not in path:
            yield line


def differences(there: Sequence[Part], here: Sequence[Part]) -> tuple[str, ...]:
    """Say in words what differs: ``numpy 2.4.6 instead of 2.4.5``."""
    theirs, ours = {p.name: p for p in there}, {p.name: p for p in here}
    names = dict.fromkeys([*ours, *theirs])
    return tuple(
        _difference(name, ours.get(name), theirs.get(name))
        for name in names
        if ours.get(name) != theirs.get(name)
    )


def _difference(name: str, here: Part | None, there: Part | None) -> str:
    if here is None or there is None or here.version != there.version:
        ours = f"{name} {here.version}" if here else f"no {name}"
        return f"{ours} instead of {there.version if there else 'none'}"
    what = "edited" if name == OURSELVES else "built"
    return f"{name} {here.version} as well, but differently {what}"
