"""Counting what is done, for those who watch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from trap_hpc.pipeline.records import StepRows
from trap_hpc.run.ledger import KnownImage
from trap_hpc.run.progress import Progress, Staff

Clock = Callable[[], float]
Watch = Callable[[Progress], None]


class Tally:
    """Counts images through the steps of a run and tells its watcher."""

    def __init__(self, watch: Watch, clock: Clock = time.monotonic) -> None:
        self._watch = watch
        self._clock = clock
        self._began = clock()
        self._phase = "scanning"
        self._images = self._scanned = self._measured = 0
        self._associated = self._rejected = self._refused = self._at_start = 0
        self._batches = 0
        self.duplicates = 0
        """Images whose content is that of another one, which is used."""
        self.staff: Callable[[], Staff | None] = lambda: None
        """Who works, as far as that is not this machine alone."""

    @property
    def elapsed_s(self) -> float:
        """Seconds since this session began."""
        return self._clock() - self._began

    def left_s(self) -> float | None:
        """How long measuring will go on; None as long as nobody knows."""
        if self._phase != "measuring" or self._rate_per_s <= 0:
            return None
        return (self._images - self._measured) / self._rate_per_s

    @property
    def _rate_per_s(self) -> float:
        return (self._measured - self._at_start) / max(self.elapsed_s, 1e-9)

    def resume(self, images: Iterable[KnownImage]) -> None:
        """Count what earlier sessions did."""
        known = list(images)
        self._images = self._scanned = len(known)
        self._measured = self._at_start = sum(i.batch is not None for i in known)

    def scanned(self, images: int, refused: int) -> None:
        """Count images whose headers have been read."""
        self._batches += 1
        self._images += images + refused
        self._scanned += images + refused
        self._refused += refused
        self._measured += refused

    def all_scanned(self) -> None:
        """From now on the number of images is known."""
        self._phase = "measuring"

    def measured(self, images: int, refused: int) -> None:
        """Count images that are measured or refused."""
        self._batches += 1
        self._measured += images
        self._refused += refused

    def forced(self) -> None:
        """Count a batch of forced fits."""
        self._batches += 1

    def lost(self, images: int) -> None:
        """Count images that must be measured again."""
        self._measured -= images
        self._at_start = min(self._at_start, self._measured)

    def associated(self, rows: StepRows) -> None:
        """Count images that are in the catalogue for good."""
        rejected = sum(image.rejection is not None for image in rows.images)
        self._rejected += rejected
        self._associated += len(rows.images) - rejected

    def finishing(self) -> None:
        """Only the final tables are left."""
        self._phase = "finishing"
        self.tell()

    def finished(self) -> None:
        """Nothing is left."""
        self._phase = "done"
        self.tell()

    def stopped(self) -> None:
        """Something is left, and nobody works on it any more."""
        self._phase = "stopped"
        self.tell()

    def tell(self) -> None:
        """Tell the watcher."""
        if self._phase == "measuring" and self._measured >= self._images:
            self._phase = "associating"
        self._watch(self._progress())

    def _progress(self) -> Progress:
        elapsed = max(self.elapsed_s, 1e-9)
        return Progress(
            phase=self._phase,
            images=self._images,
            scanned=self._scanned,
            measured=self._measured,
            associated=self._associated,
            refused=self._refused,
            rejected=self._rejected,
            duplicates=self.duplicates,
            elapsed_s=elapsed,
            rate_per_s=self._rate_per_s,
            left_s=self.left_s(),
            batches=self._batches,
            staff=self.staff(),
        )
