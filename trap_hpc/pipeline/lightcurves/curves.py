"""Step D as one machine: associated time steps and their forced fits go in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trap_hpc.config.parameters import JobParameters
from trap_hpc.pipeline.associate.steps import Sources, TimeStep
from trap_hpc.pipeline.records import FinalTables, Integers, Rows, StepRows


@dataclass(frozen=True, slots=True, kw_only=True)
class Ids:
    """Ids that tables bring with them, by image of the time step."""

    images: Sequence[int]
    blind: Sequence[Integers]
    """By row of ``blind``."""
    forced: Sequence[Integers]
    """By row of the fits; what stands at failed ones is not used."""


class LightCurves:
    """Fluxes of all sources, and the true count of forced fits.

    For each time step in order: ``owed`` says which fits it owes given what really
    succeeded before, then ``step`` takes them.
    """

    def __init__(
        self, parameters: JobParameters, monitor: Sequence[tuple[float, float]] = ()
    ) -> None:
        raise NotImplementedError

    def owed(self, step: TimeStep) -> list[Rows]:
        """REQUEST rows, by image, that the next time step really owes."""
        raise NotImplementedError

    def step(
        self, step: TimeStep, fits: Sequence[Rows], ids: Ids | None = None
    ) -> StepRows:
        """Take a time step with its fits: EXTRACTED rows, aligned with ``owed``.

        Where a fit failed f_peak is NaN. Without ``ids``, images and extractions are
        counted from 1 in order.
        """
        raise NotImplementedError

    def final(self, sources: Sources) -> FinalTables:
        """Return the tables that are known at the end: ``Associator.sources()``."""
        raise NotImplementedError
