"""A task does its batch, image by image, whatever one of them is like."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from tests.samples import write_noise
from trap_hpc.config import dump, load
from trap_hpc.errors import MeasurementError
from trap_hpc.paths import RunPaths
from trap_hpc.pipeline import images, measurements
from trap_hpc.pipeline.records import REQUEST, ForcedImage, MeasuredImage, Refusal
from trap_hpc.pipeline.tasks import Batch, Item, Task, read_batch, work, write_batch


@pytest.fixture
def run(tmp_path: Path) -> RunPaths:
    paths = RunPaths(tmp_path / "run")
    paths.make()
    paths.parameters.write_text(dump(load(None)))
    return paths


def findings(run: RunPaths, step: str, *items: Item) -> list[measurements.Finding]:
    write_batch(run.batches, Batch(name="batch", step=step, items=items))
    receipt = work(Task(run=str(run.directory), batch="batch"))
    assert receipt.items == len(items)
    return measurements.load(run.measurements / receipt.file, receipt.checksum)


def forced_item(path: Path) -> Item:
    requests = np.array([(0, 123.4, 52.9), (-1, 123.41, 52.9)], REQUEST)
    content = images.read(str(path)).content
    return Item(address=str(path), requests=requests, content=content)


def test_a_batch_is_read_as_it_was_written(run: RunPaths) -> None:
    item = forced_item(write_noise(run.directory / "a.fits", size=128))
    write_batch(run.batches, Batch(name="batch", step="force", items=[item]))
    (back,) = read_batch(run.batches, "batch").items
    assert (back.address, back.content) == (item.address, item.content)
    assert np.array_equal(back.requests, item.requests)  # type: ignore[arg-type]


def test_a_batch_that_is_seen_late_is_waited_for(run: RunPaths) -> None:
    write_batch(run.batches, Batch(name="b", step="scan", items=[Item(address="a")]))
    path = run.batches / "b.json"
    hidden = path.rename(path.with_suffix(".hidden"))
    threading.Timer(1.0, hidden.rename, [path]).start()
    began_s = time.monotonic()
    (item,) = read_batch(run.batches, "b").items
    assert item.address == "a"
    assert 0.9 < time.monotonic() - began_s < 3


def test_a_batch_that_never_comes_is_an_error(run: RunPaths) -> None:
    with pytest.raises(MeasurementError, match=r"b.json can't be read"):
        read_batch(run.batches, "b", patience_s=0.5)


def test_one_bad_image_does_not_spoil_a_batch(run: RunPaths) -> None:
    good = write_noise(run.directory / "a.fits", size=128)
    missing = run.directory / "gone.fits"
    items = [Item(address=str(path)) for path in (good, missing, good)]
    first, second, third = findings(run, "measure", *items)
    assert isinstance(first, MeasuredImage)
    assert isinstance(second, Refusal)
    assert isinstance(third, MeasuredImage)


def test_forced_fits_are_made_in_the_image_that_was_measured(run: RunPaths) -> None:
    path = write_noise(run.directory / "a.fits", size=128)
    item = forced_item(path)
    (forced,) = findings(run, "force", item)
    assert isinstance(forced, ForcedImage)
    assert np.isfinite(forced.fits["f_int"]).all()
    path.unlink()
    write_noise(path, size=128, seed=1)
    (refusal,) = findings(run, "force", item)
    assert isinstance(refusal, Refusal)
    assert (
        refusal.reason == "it is not the image any more that was measured in this run"
    )
