"""Step B as one machine: time steps go in, in order, associated ones come out."""

from __future__ import annotations

from collections.abc import Sequence

from trap_hpc.config.parameters import JobParameters
from trap_hpc.pipeline.associate.steps import Sources, TimeStep
from trap_hpc.pipeline.records import MeasuredImage


class Associator:
    """Blind association, which needs no forced fits, so it may run far ahead of them.

    Parameters
    ----------
    parameters
        The job's parameters.
    monitor
        Monitored positions, (ra, decl) in degrees.
    check_history
        Whether images are refused by the noise of the latest images of their band.
        Off for tables that say themselves which images were refused.
    """

    def __init__(
        self,
        parameters: JobParameters,
        monitor: Sequence[tuple[float, float]] = (),
        *,
        check_history: bool = True,
    ) -> None:
        raise NotImplementedError

    def step(self, images: Sequence[MeasuredImage]) -> TimeStep:
        """Associate all images of one time, given in canonical order."""
        raise NotImplementedError

    def sources(self) -> Sources:
        """Return the running catalogue as it stands, for ``LightCurves.final``."""
        raise NotImplementedError
