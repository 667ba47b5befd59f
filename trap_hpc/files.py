"""Writing files whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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
    try:
        with replacing(path, private=private) as (_, descriptor):
            with open(descriptor, "wb", closefd=False) as stream:
                stream.write(content)
            if lasting:
                os.fsync(descriptor)
    except OSError as error:
        raise StorageError(cannot_write(path, error)) from None


@contextmanager
def replacing(path: Path, *, private: bool = False) -> Iterator[tuple[Path, int]]:
    """Give a new file, open for writing, that takes the place of ``path`` in the end.

    It is gone if anything goes wrong meanwhile. Nobody can know its name before: where
    others may write to the folder, too, they could have put a link there to a file of
    ours, or a file of theirs to read what we write.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, 0o600 if private else 0o666)
    try:
        try:
            yield temporary, descriptor
        finally:
            os.close(descriptor)
        temporary.replace(path)
    except BaseException:  # Ctrl-C, too
        temporary.unlink(missing_ok=True)
        raise


def keep_others_out() -> None:
    """Let nobody else write to files that this process makes from now on.

    Whatever the user's umask says: what is in a run's directory is done in their name,
    and they may open the directory for others to read.
    """
    os.umask(os.umask(0o077) | 0o022)


def make_folder(folder: Path, mode: int = 0o755) -> None:
    """Make a folder, and what it lies in; none of it for others to write to.

    Raises
    ------
    OSError
        It can't be made, or is something else.
    """
    if not folder.is_dir():
        if folder.parent != folder:
            make_folder(folder.parent)
        folder.mkdir(mode=mode, exist_ok=True)


def look_anew(folder: Path) -> None:
    """Let a shared file system notice what others have written in ``folder``.

    NFS remembers for up to a minute that a file is not there; when the folder is opened
    it asks its server whether anything has changed.
    """
    with suppress(OSError):
        os.close(os.open(folder, os.O_RDONLY | os.O_DIRECTORY))


def cannot_write(path: Path, error: OSError) -> str:
    """Tell the user about a file that could not be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        remedy = "free some space there, then `trap-hpc resume` the run"
    else:
        remedy = "check that the folder exists and may be written"
    return f"can't write {path}: {error.strerror or error}; {remedy}"
