"""Writing files whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

from trap_hpc.errors import StorageError


def checksum(content: bytes) -> str:
    """Hash of a file's bytes, as hexadecimal text."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def write_whole(
    path: Path, content: bytes, *, lasting: bool = True, private: bool = False
) -> None:
    """Write ``content`` so that ``path`` holds all of it or does not change.

    ``lasting``: also if the machine goes down; that waits for the disk. ``private``:
    nobody but the owner may ever read it.

    Raises
    ------
    StorageError
        The file can't be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb", opener=_for_owner if private else None) as stream:
            stream.write(content)
            stream.flush()
            if lasting:
                os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException as error:  # Ctrl-C, too
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise StorageError(cannot_write(path, error)) from None
        raise


def _for_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def cannot_write(path: Path, error: OSError) -> str:
    """Tell the user about a file that could not be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        remedy = "free some space there, then `trap-hpc resume` the run"
    else:
        remedy = "check that the folder exists and may be written"
    return f"can't write {path}: {error.strerror or error}; {remedy}"
