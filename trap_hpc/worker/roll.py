"""The worker's own roll call, written anew at each step."""

from __future__ import annotations

import logging
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from trap_hpc.errors import StorageError
from trap_hpc.worker.place import Place
from trap_hpc.worker.rollcall import RollCall, write_roll_call

log = logging.getLogger(__name__)


class Roll:
    """Tells the launcher how far this worker has come."""

    def __init__(self, folder: Path, place: Place, epoch: int) -> None:
        self._folder = folder
        self._call = RollCall(
            state="starting",
            job=place.job,
            node=place.node,
            pid=os.getpid(),
            epoch=epoch,
            python=sys.executable,
            identity="",
            clock_s=time.time(),
            cores=place.cores,
            memory_bytes=place.memory_bytes,
            ends_s=place.ends_s,
        )

    def say(self, **changes: Any) -> None:
        """Tell what has changed; if that can't be written, it goes without."""
        self._call = replace(self._call, clock_s=time.time(), **changes)
        try:
            write_roll_call(self._folder, self._call)
        except StorageError as error:
            log.warning("%s", error)
