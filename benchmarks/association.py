"""What association costs an image, and whether it costs more as the run goes on.

Both halves: B, which finds out what belongs together and what is owed, and D, which
takes the forced fits and makes light curves. Making up the measurements isn't counted.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import mean, median

from benchmarks.commands import Setting
from benchmarks.figures import Aim, Figure
from benchmarks.synthetic import Sky
from trap_hpc.pipeline.associate import Associator
from trap_hpc.pipeline.lightcurves import LightCurves

AIMS_MS = {100: None, 1000: 2.0, 10_000: 20.0}
IMAGES, QUICK_IMAGES = 1000, 200
END = 100
"""How many images at the beginning and at the end are compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Seconds, by image."""

    front: list[float]
    back: list[float]
    final_s: float

    @property
    def ms(self) -> float:
        return 1000 * (mean(self.front) + mean(self.back))

    @property
    def front_ms(self) -> float:
        return 1000 * mean(self.front)

    @property
    def growth(self) -> float:
        both = [sum(pair) for pair in zip(self.front, self.back, strict=True)]
        return median(both[-END:]) / median(both[:END])


def figures(setting: Setting) -> Iterator[Figure]:
    images = QUICK_IMAGES if setting.quick else IMAGES
    for sources, limit_ms in AIMS_MS.items():
        runs = [_run(sources, images) for _ in range(1 if setting.quick else 3)]
        name = f"association, {sources} sources an image"
        yield Figure(
            name=name,
            unit="ms/image",
            values=tuple(run.ms for run in runs),
            aim=Aim(limit=limit_ms) if limit_ms else None,
            remark=f"mean over {images} images, "
            f"{median(run.front_ms for run in runs):.2g} ms of it to find what belongs "
            f"together; then {median(run.final_s for run in runs):.2g} s for the end",
        )
        yield Figure(
            name=f"{name}: growth",
            unit="",
            values=tuple(run.growth for run in runs),
            remark=f"last {END} images / first {END}",
        )


def _run(sources: int, images: int) -> Costs:
    sky = Sky(sources)
    front, back = Associator(sky.parameters), LightCurves(sky.parameters)
    clock = time.perf_counter
    costs = Costs(front=[], back=[], final_s=0)
    for number in range(images):
        image = sky.image(number)
        times = [clock()]
        step = front.step([image])
        times.append(clock())
        owed = back.owed(step)
        times.append(clock())
        fits = [sky.forced(number, requests).fits for requests in owed]
        times.append(clock())
        back.step(step, fits)
        times.append(clock())
        costs.front.append(times[1] - times[0])
        costs.back.append(times[2] - times[1] + times[4] - times[3])
    started = clock()
    back.final(front.sources())
    return Costs(front=costs.front, back=costs.back, final_s=clock() - started)
