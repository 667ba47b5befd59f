"""A run that goes on hands in its time steps from the first: which of them are in."""

from __future__ import annotations

from typing import NamedTuple

from trap_hpc.pipeline.records import StepRows


class Place(NamedTuple):
    """Where in a run's time steps we are: a replay must come by the same place."""

    taustart_us: int | None
    xtrsrc: int | None

    def after(self, step: StepRows) -> Place:
        """Return the place behind ``step``."""
        ids = step.extracted_id
        return Place(step.taustart_us, int(ids[-1]) if len(ids) else self.xtrsrc)


class Replay:
    """Counts time steps that come by, and knows the last one that is in."""

    def __init__(self, steps_done: int, place: Place) -> None:
        self._skip = steps_done
        self._skip_to = place
        self._position = 0
        self._place = Place(None, None)

    def come_by(self, step: StepRows) -> bool:
        """Take the next step; return whether it is new."""
        self._position += 1
        self._place = self._place.after(step)
        return self._position > self._skip

    @property
    def astray(self) -> bool:
        """Whether the last step that is in was another one, when it came by."""
        return self._position == self._skip and self._place != self._skip_to

    @property
    def over(self) -> bool:
        """Whether all steps that are in have come by."""
        return self._position >= self._skip

    @property
    def steps_done(self) -> int:
        """Steps that are in by now."""
        return max(self._position, self._skip)

    @property
    def place(self) -> Place:
        """Where the last of them ended."""
        return self._place if self.over else self._skip_to
