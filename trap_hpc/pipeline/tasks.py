"""The tasks: scan, measure and force one batch of images, into one measurement file.

A task is a pure function of the images' bytes, the job parameters and the positions:
whoever runs it, and however often, finds the same. It gets its batch from a file in the
run directory and returns a receipt of a few hundred bytes, so that nothing large ever
travels through a broker.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy._core._multiarray_umath import __cpu_features__

from trap_hpc.config import load
from trap_hpc.config.parameters import JobParameters
from trap_hpc.errors import ImageError, MeasurementError, TrapHpcError
from trap_hpc.files import look_anew, write_whole
from trap_hpc.pipeline import measurements
from trap_hpc.pipeline.images import read, scan
from trap_hpc.pipeline.measure import force_image, measure
from trap_hpc.pipeline.measurements import Finding
from trap_hpc.pipeline.records import REQUEST, Refusal, Rows

CPU_FEATURES = " ".join(sorted(name for name, on in __cpu_features__.items() if on))
"""numpy picks its kernels by these: equal bits are promised on equal features."""
LATE_S = 10.0
"""So much later a shared file system may show what was written on another host."""
LOOK_S = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One sending of one batch. ``run`` is the run directory."""

    run: str
    batch: str
    attempt: int = 1
    expected_s: float = 0.0
    """How long it should take; 0: nobody knows."""
    limit_s: float = 0.0
    """When it has been worked on for so long it is ended; 0: never."""

    @property
    def file(self) -> str:
        """Name of its measurement file."""
        return f"{self.batch}.{self.attempt}.h5"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a finished task returns: where its findings are and how long it took."""

    file: str
    checksum: str
    items: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One piece of a batch: a path to scan, or an image to measure or to force."""

    address: str
    requests: Rows | None = None
    content: str = ""
    """Hash of an image that is measured already: fits are made in the same image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one task works on. step: ``scan``, ``measure`` or ``force``."""

    name: str
    step: str
    items: Sequence[Item]


def write_batch(folder: Path, batch: Batch) -> None:
    """Put ``batch`` where its task finds it.

    Raises
    ------
    StorageError
        The file can't be written.
    """
    record = {"step": batch.step, "items": [_item_to_record(i) for i in batch.items]}
    path = folder / f"{batch.name}.json"
    # Of no use after a crash: what was under way is then cut into new batches.
    write_whole(path, json.dumps(record).encode(), lasting=False)


def read_batch(folder: Path, name: str, patience_s: float = LATE_S) -> Batch:
    """Read what `write_batch` wrote, as soon as it is to be seen from here.

    Raises
    ------
    MeasurementError
        The file is missing or damaged, also after ``patience_s``.
    """
    path = folder / f"{name}.json"
    until_s = time.monotonic() + patience_s
    while True:
        try:
            record = json.loads(path.read_bytes())
            break
        except (OSError, ValueError) as error:
            if time.monotonic() >= until_s:
                raise MeasurementError(
                    f"batch file {path} can't be read: {error}"
                ) from None
        time.sleep(LOOK_S)
        look_anew(folder)
    items = [_item_from_record(item) for item in record["items"]]
    return Batch(name=name, step=record["step"], items=items)


def work(task: Task, *, strict: bool = False) -> Receipt:
    """Do ``task``: read its batch, find out, write the measurement file.

    An image that can't be used becomes a `Refusal` in the file. ``strict`` lets
    everything but bad images rise to the caller, for people with a debugger.

    Raises
    ------
    StorageError
        The measurement file can't be written.
    MeasurementError
        The batch file can't be read.
    """
    started = time.perf_counter()
    run = Path(task.run)
    batch = read_batch(run / "batches", task.batch)
    step = STEPS[batch.step]
    parameters = _parameters(run / "parameters.toml")
    findings = [
        finding
        for item in batch.items
        for finding in _guarded(step, item, parameters, strict)
    ]
    return deliver(task, batch, findings, started)


def deliver(
    task: Task, batch: Batch, findings: Sequence[Finding], started: float
) -> Receipt:
    """Write what ``task`` found, and make out its receipt.

    ``started`` is when it began, by `time.perf_counter`.

    Raises
    ------
    StorageError
        The measurement file can't be written.
    """
    folder = Path(task.run) / "measurements"
    path = folder / task.file
    checksum = measurements.save(
        path,
        findings,
        batch=task.batch,
        step=batch.step,
        node=socket.gethostname(),
        cpu_features=CPU_FEATURES,
    )
    return Receipt(
        file=path.name,
        checksum=checksum,
        items=len(batch.items),
        seconds=time.perf_counter() - started,
    )


@lru_cache(maxsize=4)
def _parameters(path: Path) -> JobParameters:
    return load(path).parameters


def _scan(item: Item, parameters: JobParameters) -> Iterator[Finding]:
    yield from scan(item.address)


def _measure(item: Item, parameters: JobParameters) -> Iterator[Finding]:
    yield measure(read(item.address), parameters)


def _force(item: Item, parameters: JobParameters) -> Iterator[Finding]:
    assert item.requests is not None
    image = read(item.address)
    if image.content != item.content:
        raise ImageError("it is not the image any more that was measured in this run")
    yield force_image(image, item.requests, parameters)


Step = Callable[[Item, JobParameters], Iterator[Finding]]
STEPS: dict[str, Step] = {"scan": _scan, "measure": _measure, "force": _force}


def _guarded(
    step: Step, item: Item, parameters: JobParameters, strict: bool
) -> list[Finding]:
    """Return what ``step`` finds; a refusal if the image can't be used."""
    try:
        return list(step(item, parameters))
    except ImageError as error:
        return [Refusal(address=item.address, kind="unreadable", reason=str(error))]
    except TrapHpcError:
        raise
    except Exception as error:  # noqa: BLE001  one image never stops the others
        if strict:
            raise
        reason = f"unexpected {type(error).__name__}: {error}; please report this"
        return [Refusal(address=item.address, kind="failed", reason=reason)]


def _item_to_record(item: Item) -> dict[str, Any]:
    record: dict[str, Any] = {"address": item.address}
    if item.requests is not None:
        record |= {"requests": item.requests.tolist(), "content": item.content}
    return record


def _item_from_record(record: dict[str, Any]) -> Item:
    requests = record.get("requests")
    if requests is None:
        return Item(address=record["address"])
    rows = np.array([tuple(row) for row in requests], REQUEST)
    return Item(address=record["address"], requests=rows, content=record["content"])
