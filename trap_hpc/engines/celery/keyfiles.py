"""Certificates where libraries want files: redis-py and amqp take names, not texts."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path

from trap_hpc.engines.broker import Certificates


class KeyFiles:
    """A run's certificates as files that nobody else can read, until `close`.

    Where the system can, they are files in memory, which have no name in any folder: a
    worker that is killed leaves no key behind. Elsewhere they lie in the folder for
    temporary files of this host, mode 0600.
    """

    def __init__(self, certificates: Certificates) -> None:
        self._open = ExitStack()
        self.authority = self._file("authority", certificates.authority)
        self.certificate = self._file("certificate", certificates.certificate)
        self.key = self._file("key", certificates.key)

    def close(self) -> None:
        """Remove them."""
        self._open.close()

    def _file(self, name: str, text: str) -> str:
        if hasattr(os, "memfd_create") and Path("/proc/self/fd").exists():
            stream = os.fdopen(os.memfd_create(name), "wb")
            path = f"/proc/self/fd/{stream.fileno()}"
        else:
            named = tempfile.NamedTemporaryFile(prefix="trap-", suffix=f".{name}")  # noqa: SIM115
            stream, path = named, named.name  # type: ignore[assignment]
        self._open.enter_context(stream)
        stream.write(text.encode())
        stream.flush()
        return path
