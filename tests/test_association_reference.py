"""The package and a plain re-telling of the rules agree on skies full of cases."""

from __future__ import annotations

import pytest

from tests.night import FIELDS, Night, fits_of, forced_fit, monitored, parameters
from tests.plain_tables import plain_tables
from tests.plain_trap import PlainTrap
from tests.trap_catalogue import Memory, differences, tables_of
from trap_hpc.pipeline.associate import Associator
from trap_hpc.pipeline.lightcurves import LightCurves
from trap_hpc.pipeline.records import EXTRACTED


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", FIELDS)
def test_a_dense_night_gives_the_same_catalogue(name: str, seed: int) -> None:
    assert compared(name, seed, sources=30, steps=12) == []


def compared(name: str, seed: int, *, sources: int, steps: int) -> list[str]:
    monitor, job = monitored(name), parameters()
    front, back = Associator(job, monitor), LightCurves(job, monitor)
    plain, memory = PlainTrap(job, monitor, forced_fit), Memory()
    for images in Night(seed, *FIELDS[name], sources).steps(steps):
        plain.step(images)
        step = front.step(images)
        fits = [
            fits_of(image, requests, EXTRACTED)
            for image, requests in zip(images, back.owed(step), strict=True)
        ]
        memory.add_step(back.step(step, fits))
    memory.finish(back.final(front.sources()))
    return differences(tables_of(memory), plain_tables(plain.sources))
