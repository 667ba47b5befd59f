"""Make a pack of many image files."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from trap_hpc.errors import ImageError, StorageError, UsageError
from trap_hpc.pipeline.images.image import Image
from trap_hpc.pipeline.images.kinds import PACK_SUFFIXES
from trap_hpc.pipeline.images.packs import KIND, SCHEMA_VERSION, Place, text_of
from trap_hpc.pipeline.images.reading import read, scan
from trap_hpc.pipeline.records import Refusal
from trap_hpc.pipeline.steadyfile import SteadyFile

_FORMAT = "v110", "v110"
"""Versions of HDF5 whose files carry checksums of their structure."""
_MAX_CHUNK_BYTES = 2**30
"""HDF5 has no chunks of 4 GB or more."""

Progress = Callable[[int, int], None]
"""Called with the number of files done and of all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackReport:
    """What went into a pack and what did not."""

    path: Path
    packed: int
    """Planes. If there are none, no file was written."""
    refused: Sequence[Refusal]


def pack(
    paths: Sequence[str],
    out: Path,
    *,
    compression: str | None = None,
    progress: Progress | None = None,
) -> PackReport:
    """Put all planes of ``paths`` into the new file ``out``, in this order.

    ``compression`` is None, ``gzip`` or ``lzf``. What can't be read is reported and
    left out. The file is there when it is complete, not before. Raises UsageError for
    an ``out`` that exists or has another suffix than .h5 or .hdf5, StorageError if it
    can't be written.
    """
    _check(out)
    partial = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        with SteadyFile(partial, "x+") as stream:
            writer = _fill(stream, paths, compression, progress)
        if writer.texts:
            _publish(partial, out)
    except (OSError, RuntimeError) as error:  # h5py raises either
        raise StorageError(
            f"{out} can't be written: {getattr(error, 'strerror', None) or error}. "
            "Check space and permissions, or name another file"
        ) from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
    return PackReport(path=out, packed=len(writer.texts), refused=writer.refused)


def _fill(
    stream: SteadyFile,
    paths: Sequence[str],
    compression: str | None,
    progress: Progress | None,
) -> _Writer:
    file: Any = stream  # h5py takes it, its type stubs do not know
    with h5py.File(file, "w", libver=_FORMAT, locking=False) as opened:
        writer = _Writer(opened, compression)
        for done, path in enumerate(paths, start=1):
            writer.add(path)
            stream.check()
            if progress:
                progress(done, len(paths))
        writer.finish()
    stream.check()
    return writer


def _check(out: Path) -> None:
    if out.suffix.lower() not in PACK_SUFFIXES:
        raise UsageError(
            f"{out}: a pack's name must end in {' or '.join(PACK_SUFFIXES)}"
        )
    if out.exists():
        raise UsageError(f"{out} is there already: remove it, or name another file")
    if not out.parent.is_dir():
        raise UsageError(f"{out.parent}: no such folder to write the pack to")


def _publish(partial: Path, out: Path) -> None:
    """Give a complete file its name, after its bytes are on the disk."""
    with open(partial, "rb") as written:
        os.fsync(written.fileno())
    if out.exists():
        raise StorageError(f"{out} was made by somebody else meanwhile")
    partial.rename(out)


@dataclass(slots=True)
class _Writer:
    """An open pack that grows."""

    file: Any
    compression: str | None
    texts: list[bytes] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)

    def add(self, path: str) -> None:
        """Append all planes of a file."""
        for entry in scan(path):
            if isinstance(entry, Refusal):
                self.refused.append(entry)
                continue
            try:
                image = read(entry.address)
            except ImageError as error:
                reason = str(error)
                self.refused.append(
                    Refusal(address=entry.address, kind="unreadable", reason=reason)
                )
            else:
                self.texts.append(text_of(image, self._append(image)))

    def finish(self) -> None:
        """Write what is known of the planes."""
        self.file.attrs["kind"] = np.bytes_(KIND)
        self.file.attrs["schema_version"] = SCHEMA_VERSION
        self.file.create_dataset("planes", data=np.array(self.texts, "S"))

    def _append(self, image: Image) -> Place:
        ny, nx = image.pixels.shape
        name = f"{ny}x{nx}_{image.pixels.dtype.name}"
        pixels = self.file.require_group("pixels")
        dataset = pixels[name] if name in pixels else self._dataset(pixels, name, image)
        row = dataset.shape[0]
        dataset.resize(row + 1, axis=0)
        dataset[row] = image.pixels
        return Place(dataset=name, row=row)

    def _dataset(self, group: Any, name: str, image: Image) -> Any:
        ny, nx = image.pixels.shape
        rows = max(1, min(ny, _MAX_CHUNK_BYTES // (nx * image.pixels.itemsize)))
        return group.create_dataset(
            name,
            shape=(0, ny, nx),
            maxshape=(None, ny, nx),
            chunks=(1, rows, nx),
            dtype=image.pixels.dtype.newbyteorder("<"),
            compression=self.compression,
        )
