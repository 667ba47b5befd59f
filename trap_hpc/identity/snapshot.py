"""The snapshot: one zip file with all of this package, from which a run goes on.

Whatever is edited or installed meanwhile, the launcher, its child processes and all
workers import what was there when the run began, however late they start.
"""

from __future__ import annotations

import io
import marshal
import zipfile
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources.abc import Traversable
from importlib.util import MAGIC_NUMBER, source_hash
from pathlib import Path

from trap_hpc.config.resources import resource
from trap_hpc.errors import RunError
from trap_hpc.files import checksum, write_whole
from trap_hpc.identity.sources import PACKAGE, archive, sources

UNCHECKED_HASH = b"\x01\0\0\0"
"""Bytecode that is taken as it is: PEP 552."""
MARSHAL_VERSION = 2
"""What later ones write depends on what else is in memory."""
RESOURCES = ("configs", "slurm")


def write_snapshot(path: Path) -> str:
    """Write the snapshot of the code that is running; return the file's checksum.

    Raises
    ------
    RunError
        This installation is not whole.
    StorageError
        The file can't be written.
    """
    content = _snapshot()
    write_whole(path, content)
    return checksum(content)


def running_from(path: Path) -> bool:
    """Whether this process imports the package from the snapshot at ``path``."""
    zipped = archive()
    return zipped is not None and path.exists() and zipped.samefile(path)


def require_snapshot(path: Path, expected: str) -> None:
    """Make sure that the snapshot is the one with the checksum ``expected``.

    Raises
    ------
    RunError
        It is another, or can't be read.
    """
    try:
        found = checksum(path.read_bytes())
    except OSError as error:
        raise RunError(
            f"{path}, the run's own code, can't be read: {error.strerror or error}"
        ) from None
    if found != expected:
        raise RunError(
            f"{path} is not the code that the run was begun with: its checksum is "
            f"{found}, and was {expected}. Put the file back, or start a new run"
        )


@cache
def _snapshot() -> bytes:
    """Return the snapshot's bytes: the same for the same code, wherever it lies."""
    zipped = archive()
    if zipped is not None:
        return zipped.read_bytes()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as written:
        for name, content in (*_code(sources()), *_resources()):
            entry = zipfile.ZipInfo(f"{PACKAGE.name}/{name}")
            written.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def _code(files: Mapping[str, bytes]) -> Iterator[tuple[str, bytes]]:
    for name, source in files.items():
        yield name, source
        yield f"{name}c", _bytecode(name, source)
    yield "py.typed", b""


def _bytecode(name: str, source: bytes) -> bytes:
    """Compile ahead: what is compiled from a zip file can't be kept."""
    # A name that exists nowhere: else a traceback would show a file as it is by then.
    shown = f"code.zip/{PACKAGE.name}/{name}"
    code = compile(source, shown, "exec", dont_inherit=True, optimize=0)
    head = MAGIC_NUMBER + UNCHECKED_HASH + source_hash(source)
    return head + marshal.dumps(code, MARSHAL_VERSION)


def _resources() -> Iterator[tuple[str, bytes]]:
    """Yield what is no code, at the place where a wheel has it."""
    for folder in RESOURCES:
        for name, content in sorted(_files(resource(folder))):
            yield f"data/{folder}/{name}", content


def _files(folder: Traversable, within: str = "") -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _files(entry, f"{within}{entry.name}/")
        else:
            yield f"{within}{entry.name}", entry.read_bytes()
