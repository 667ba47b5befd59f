"""Measurement files: what one task found out, in one HDF5 file.

A file is complete or not there: it is built in memory, written under a temporary name,
synced and renamed. Who reads it checks it against the checksum that its task returned.
One file holds a whole batch, so that a shared file system sees thousands of files
rather than millions.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from trap_hpc.errors import MeasurementError
from trap_hpc.files import checksum, write_whole
from trap_hpc.pipeline.records import (
    EXTRACTED,
    REQUEST,
    ForcedImage,
    Header,
    MeasuredImage,
    Refusal,
    Rejection,
    Rows,
    concatenated,
)

SCHEMA_VERSION = 1
_NOWHERE = f"{os.devnull}/memory"
"""A name that no file can have: HDF5 reads one first that is called like one in memory.
"""

Finding = Header | MeasuredImage | ForcedImage | Refusal
"""What a task says of one image."""


def save(path: Path, findings: Sequence[Finding], **attributes: str) -> str:
    """Write ``findings`` to ``path``, whole or not at all; return the checksum.

    Raises
    ------
    StorageError
        The file can't be written (disk full, no permission, folder gone).
    """
    content = _encode(findings, attributes)
    write_whole(path, content)
    return checksum(content)


def load(path: Path, expected_checksum: str) -> list[Finding]:
    """Read what `save` wrote, after checking that it is the same, byte by byte.

    Raises
    ------
    MeasurementError
        The file is missing, cut short or damaged.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise MeasurementError(
            f"measurement file {path} can't be read: {error}"
        ) from None
    if checksum(content) != expected_checksum:
        raise MeasurementError(
            f"measurement file {path} is damaged: its checksum is not the one that "
            "was noted when it was written"
        )
    return list(_decode(content))


def _encode(findings: Sequence[Finding], attributes: Mapping[str, str]) -> bytes:
    records, rows, requests = [], [], []
    for finding in findings:
        kind = type(finding)
        records.append({"type": kind.__name__, **_WRITERS[kind](finding)})
        if isinstance(finding, MeasuredImage):
            rows.append(finding.blind)
        elif isinstance(finding, ForcedImage):
            rows.append(finding.fits)
            requests.append(finding.requests)
    with h5py.File(_NOWHERE, "w", driver="core", backing_store=False) as file:
        file.attrs.update({"schema_version": SCHEMA_VERSION, **attributes})
        file["findings"] = np.void(json.dumps(records).encode())
        file["rows"] = concatenated(rows, EXTRACTED)
        file["requests"] = concatenated(requests, REQUEST)
        file.flush()
        image: bytes = file.id.get_file_image()
    return image


def _decode(content: bytes) -> Iterator[Finding]:
    stream: Any = io.BytesIO(content)  # h5py takes it, its type stubs do not know
    with h5py.File(stream, "r") as file:
        records = json.loads(bytes(file["findings"][()]))
        rows, requests = file["rows"][()], file["requests"][()]
    row = request = 0
    for record in records:
        kind, count = record.pop("type"), record.pop("rows", 0)
        mine = rows[row : row + count]
        if kind == "ForcedImage":
            asked = requests[request : request + count]
            request += count
            yield ForcedImage(address=record["address"], requests=asked, fits=mine)
        else:
            yield _READERS[kind](record, mine)
        row += count


def _measured_to_record(image: MeasuredImage) -> dict[str, Any]:
    return {
        "header": asdict(image.header),
        "content": image.content,
        "rms": [image.rms_qc, image.rms_min, image.rms_max],
        "rejection": image.rejection and asdict(image.rejection),
        "rows": len(image.blind),
    }


def _measured_from_record(record: dict[str, Any], rows: Rows) -> MeasuredImage:
    rms_qc, rms_min, rms_max = record["rms"]
    rejection = record["rejection"]
    return MeasuredImage(
        header=Header(**record["header"]),
        content=record["content"],
        rms_qc=rms_qc,
        rms_min=rms_min,
        rms_max=rms_max,
        rejection=Rejection(**rejection) if rejection else None,
        blind=rows,
    )


_WRITERS: dict[type, Callable[[Any], dict[str, Any]]] = {
    Header: asdict,
    Refusal: asdict,
    MeasuredImage: _measured_to_record,
    ForcedImage: lambda forced: {"address": forced.address, "rows": len(forced.fits)},
}
_READERS: dict[str, Callable[[dict[str, Any], Rows], Finding]] = {
    "Header": lambda record, _: Header(**record),
    "Refusal": lambda record, _: Refusal(**record),
    "MeasuredImage": _measured_from_record,
}
