"""What a forced fit costs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from statistics import median

import numpy as np

from benchmarks.commands import Setting
from benchmarks.figures import Aim, Figure
from benchmarks.sky import make_images
from trap_hpc.config.parameters import JobParameters
from trap_hpc.pipeline import images
from trap_hpc.pipeline.images import Image
from trap_hpc.pipeline.measure import force_image
from trap_hpc.pipeline.records import REQUEST, Rows

MANY = 1000


def figures(setting: Setting) -> Iterator[Figure]:
    sky = make_images(setting.folder / "images", size=512, sources=64, images=1)
    path = str(sky.folder / sky.files[0])
    image = images.read(path)
    rounds = 5 if setting.quick else 21
    one = [_seconds(image, _requests(image, 1)) for _ in range(rounds)]
    many = [_seconds(image, _requests(image, MANY)) for _ in range(rounds)]
    yield Figure(
        name="forced fit",
        unit="ms/fit",
        values=tuple(
            1000 * (m - o) / (MANY - 1) for m, o in zip(many, one, strict=True)
        ),
        aim=Aim(limit=0.1),
        remark=f"each further one: {MANY} in an image of 512 x 512 against one",
    )
    yield Figure(
        name="forced fit, the first of an image",
        unit="ms",
        values=tuple(1000 * seconds for seconds in one),
        remark="with the map of the noise; to read the image takes "
        f"{1000 * median(_reading_s(path) for _ in range(rounds)):.2g} ms more",
    )


def _requests(image: Image, count: int) -> Rows:
    """Places anywhere in the inner half of the image."""
    rng = np.random.default_rng(3)
    header = image.header
    rows = np.empty(count, REQUEST)
    rows["target"] = np.arange(count)
    reach_deg = header.nx * abs(header.deltax_deg) / 4
    offset = rng.uniform(-reach_deg, reach_deg, (2, count))
    rows["decl"] = header.centre_decl_deg + offset[1]
    rows["ra"] = header.centre_ra_deg + offset[0] / np.cos(np.radians(rows["decl"]))
    return rows


def _seconds(image: Image, requests: Rows) -> float:
    started = time.perf_counter()
    force_image(image, requests, JobParameters())
    return time.perf_counter() - started


def _reading_s(path: str) -> float:
    started = time.perf_counter()
    images.read(path)
    return time.perf_counter() - started
