"""However far association runs ahead, the light curves are those of one by one."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from tests.samples import HEADER
from trap_hpc.config import load
from trap_hpc.pipeline.associate import Associator
from trap_hpc.pipeline.lightcurves import LightCurves
from trap_hpc.pipeline.records import (
    EXTRACTED,
    SOURCE,
    FinalTables,
    ForcedImage,
    MeasuredImage,
    Rows,
    StepRows,
)
from trap_hpc.pipeline.sources import derive
from trap_hpc.pipeline.tasks import Item
from trap_hpc.run.window import Window

PARAMETERS = load(None, ["expiration=3"]).parameters
MONITOR = ((123.5, 52.8),)
STEPS = 40


def measured(step: int, sources: np.random.Generator) -> MeasuredImage:
    """Twelve places on the sky, of which each image shows some."""
    shown = np.flatnonzero(sources.random(12) < 0.5)
    rows = np.zeros(len(shown), SOURCE)
    rows["ra"], rows["decl"] = 123.0 + 0.1 * shown, 52.9
    rows["f_peak"] = rows["f_int"] = 1 + sources.random(len(shown))
    for name in ("f_peak_err", "f_int_err"):
        rows[name] = 0.01
    rows["ra_fit_err"] = rows["decl_fit_err"] = 1e-4
    rows["ew_sys_err"] = rows["ns_sys_err"] = rows["error_radius"] = 10.0
    time_us = HEADER.taustart_us + step * 600_000_000
    header = replace(HEADER, address=f"{step}.fits", taustart_us=time_us)
    return MeasuredImage(
        header=header,
        content=str(step),
        rms_qc=0.01,
        rms_min=0.009,
        rms_max=0.011,
        blind=derive(rows),
    )


def forced(address: str, requests: Rows) -> ForcedImage:
    """A fit whose success depends on its image and its place alone."""
    fits = np.zeros(len(requests), EXTRACTED)
    for fit, request in zip(fits, requests, strict=True):
        luck = random.Random(f"{address} {request['ra']!r} {request['decl']!r}")
        good = luck.random() < 0.6
        fit["f_peak"] = fit["f_int"] = luck.random() if good else np.nan
        fit["f_peak_err"] = fit["f_int_err"] = 0.01
        fit["ra"], fit["decl"] = request["ra"], request["decl"]
        fit["uncertainty_ew"] = fit["uncertainty_ns"] = 0.003
    return ForcedImage(address=address, requests=requests, fits=fits)


def answered(item: Item) -> ForcedImage:
    assert item.requests is not None
    return forced(item.address, item.requests)


def one_by_one(images: list[MeasuredImage]) -> tuple[list[StepRows], FinalTables]:
    front, back = Associator(PARAMETERS, MONITOR), LightCurves(PARAMETERS, MONITOR)
    rows = []
    for image in images:
        step = front.step([image])
        (owed,) = back.owed(step)
        rows.append(back.step(step, [forced(image.header.address, owed).fits]))
    return rows, back.final(front.sources())


class Windowed:
    """A window whose requests are answered late and in any order."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.asked: list[tuple[int, Item]] = []
        self.window = Window(PARAMETERS, MONITOR, lambda *ask: self.asked.append(ask))
        self.rows: list[StepRows] = []

    def answer_some(self) -> None:
        self.random.shuffle(self.asked)
        for _ in range(self.random.randint(1, 5)):
            if self.asked:
                image_id, item = self.asked.pop()
                self.window.answer(image_id, answered(item))

    def run(self, images: list[MeasuredImage]) -> FinalTables:
        for n, image in enumerate(images):
            self.window.push([n], [image], lambda _: [])
            if self.random.random() < 0.2:
                self.answer_some()
                self.rows += self.window.settle()
        while len(self.window):
            assert self.asked or self.settled(), "the window waits for nothing"
            self.answer_some()
            self.rows += self.window.settle()
        return self.window.final()

    def settled(self) -> bool:
        before = len(self.rows)
        self.rows += self.window.settle()
        return len(self.rows) > before or bool(self.asked)


@pytest.mark.parametrize("seed", range(5))
def test_light_curves_are_those_of_the_sequential_order(seed: int) -> None:
    random_sky = np.random.default_rng(seed)
    images = [measured(step, random_sky) for step in range(STEPS)]
    rows, final = one_by_one(images)
    windowed = Windowed(seed)
    windowed_final = windowed.run(images)
    assert len(windowed.rows) == len(rows)
    for ours, theirs in zip(windowed.rows, rows, strict=True):
        assert ours.associations.tobytes() == theirs.associations.tobytes()
        assert ours.extracted.tobytes() == theirs.extracted.tobytes()
        assert np.array_equal(ours.ff_runcat, theirs.ff_runcat)
    for table in FinalTables.__dataclass_fields__:
        ours_table, theirs_table = getattr(windowed_final, table), getattr(final, table)
        assert ours_table.tobytes() == theirs_table.tobytes(), table


def test_fits_of_an_earlier_session_are_not_made_again() -> None:
    random_sky = np.random.default_rng(3)
    images = [measured(step, random_sky) for step in range(STEPS)]
    asked: list[tuple[int, Item]] = []
    window = Window(PARAMETERS, MONITOR, lambda *ask: asked.append(ask))
    for n, image in enumerate(images):
        window.push([n], [image], lambda _: [])
    made: dict[int, list[ForcedImage]] = {}
    while len(window):
        while asked:
            image_id, item = asked.pop()
            fits = answered(item)
            made.setdefault(image_id, []).append(fits)
            window.answer(image_id, fits)
        list(window.settle())
    again = Window(PARAMETERS, MONITOR, lambda *ask: asked.append(ask))
    for n, image in enumerate(images):
        again.push([n], [image], lambda i: made.get(i, []))
        list(again.settle())
    assert not asked
    assert not len(again)
    assert again.extractions == 0


def test_an_image_lost_after_measuring_keeps_its_blind_rows() -> None:
    random_sky = np.random.default_rng(5)
    images = [measured(step, random_sky) for step in range(4)]
    window = Window(PARAMETERS, MONITOR, lambda *ask: None)
    rows: list[StepRows] = []
    for n, image in enumerate(images):
        window.push([n], [image], lambda _: [])
        window.answer(n, None)
        rows += window.settle()
    assert [len(row.extracted) for row in rows] == [len(i.blind) for i in images]


def test_all_that_is_asked_again_of_an_image_is_asked_at_once() -> None:
    """Each asking reads the image once more."""
    random_sky = np.random.default_rng(7)
    images = [measured(step, random_sky) for step in range(STEPS)]
    asked: list[tuple[int, Item]] = []
    window = Window(PARAMETERS, (), lambda *ask: asked.append(ask))
    for n, image in enumerate(images):
        window.push([n], [image], lambda _: [])
    while len(window):
        askings = [image_id for image_id, _ in asked]
        assert len(set(askings)) == len(askings)
        for image_id, item in asked:
            failed = answered(item)
            failed.fits["f_peak"] = np.nan
            window.answer(image_id, failed)
        asked.clear()
        list(window.settle())
