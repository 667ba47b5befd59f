"""Small skies by hand: a few sources, image after image, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from tests.night import header, offset, parameters, rows_at
from tests.trap_catalogue import Memory
from trap_hpc.config.parameters import JobParameters
from trap_hpc.pipeline.associate import Associator, TimeStep
from trap_hpc.pipeline.lightcurves import LightCurves
from trap_hpc.pipeline.records import (
    EXTRACTED,
    FinalTables,
    MeasuredImage,
    Rejection,
    Rows,
    StepRows,
)

CENTRE = 120.0, 50.0
Place = tuple[float, ...]
"""East and north of the centre in arcsec, then flux and error in arcsec if wanted."""

CALM = replace(parameters(), quality=JobParameters().quality)
"""Expiration after 2 fits, a region of 0.83 degrees, no history to speak of."""


def image(
    *places: Place,
    time: int,
    centre: tuple[float, float] = CENTRE,
    rms: tuple[float, float] = (0.001, 0.002),
    rejected: bool = False,
    **changes: float,
) -> MeasuredImage:
    """An image with sources about its ``centre``; ``changes`` are to its header."""
    full = [(*place, *(1.0, 2.0)[len(place) - 2 :]) for place in places]
    sky = [offset(*centre, east / 3600, north / 3600) for east, north, *_ in full]
    ra, decl = np.array(sky).reshape(-1, 2).T
    _, _, flux, error = np.array(full).reshape(-1, 4).T
    return MeasuredImage(
        header=header(0, time, *centre, **changes),
        content="",
        rms_qc=0.01,
        rms_min=rms[0],
        rms_max=rms[1],
        rejection=Rejection(reason=1, comment="beam") if rejected else None,
        blind=rows_at(ra, decl, flux, error),
    )


def flux_one(request: np.void) -> Rows:
    """A forced fit that gives 1 Jy."""
    one = np.ones(1)
    return rows_at(one * request["ra"], one * request["decl"], one, one)


Fit = Callable[[np.void], Rows | None]


class Scene:
    """Runs both machines, one step after the other, and keeps all that they say."""

    def __init__(
        self,
        job: JobParameters = CALM,
        monitor: Sequence[tuple[float, float]] = (),
        fit: Fit = flux_one,
    ) -> None:
        self.front = Associator(job, monitor)
        self.back = LightCurves(job, monitor)
        self.memory = Memory()
        self.fit = fit

    def see(self, *images: MeasuredImage) -> TimeStep:
        """Take a time step."""
        step = self.front.step(images)
        self.take(step)
        return step

    def take(self, step: TimeStep) -> StepRows:
        """Give an associated time step to the light curves."""
        fits = [self.fits(requests) for requests in self.back.owed(step)]
        rows = self.back.step(step, fits)
        self.memory.add_step(rows)
        return rows

    def fits(self, requests: Rows) -> Rows:
        rows = np.full(len(requests), np.nan, EXTRACTED)
        for n, request in enumerate(requests):
            fitted = self.fit(request)
            if fitted is not None:
                rows[n] = fitted[0]
        return rows

    def final(self) -> FinalTables:
        """Finish, and return the tables; light curves are in ``memory.curves``."""
        self.memory.finish(self.back.final(self.front.sources()))
        assert self.memory.final is not None
        return self.memory.final

    def types(self) -> dict[int, list[int]]:
        """Association types of each light curve, by running-catalogue id."""
        self.final()
        return {id_: rows["type"].tolist() for id_, rows in self.memory.curves.items()}


def types_of(step: TimeStep, index: int = 0) -> list[int]:
    """Association types in one image of a time step."""
    kinds: list[int] = step.images[index].matches["type"].tolist()
    return kinds


def owed_to(step: TimeStep, index: int = 0) -> list[int]:
    """Sources that an image is optimistically asked to fit."""
    targets: list[int] = step.images[index].requests["target"].tolist()
    return targets
