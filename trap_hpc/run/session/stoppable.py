"""An engine of this machine whose run can be asked to stop, as any other."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from trap_hpc.engines.base import Engine, Outcome
from trap_hpc.paths import RunPaths
from trap_hpc.run.session.forwarding import Forwarding
from trap_hpc.run.session.stopping import forget_request, stop_asked, stopped_by

LOOK_S = 1.0


class StoppableEngine(Forwarding[Engine]):
    """Looks about once a second whether somebody asks."""

    def __init__(
        self,
        engine: Engine,
        paths: RunPaths,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(engine)
        self._paths = paths
        self._clock = clock
        self._look_at_s = clock()

    def outcomes(self, timeout_s: float) -> Sequence[Outcome]:
        """Wait for news.

        Raises
        ------
        KeyboardInterrupt
            The run was asked to stop.
        """
        if self._clock() >= self._look_at_s:
            self._look_at_s = self._clock() + LOOK_S
            if by := stop_asked(self._paths):
                raise stopped_by(by)
        return self._engine.outcomes(timeout_s)

    def close(self) -> None:
        """End all workers, and say by that that the request was obeyed."""
        self._engine.close()
        forget_request(self._paths)
