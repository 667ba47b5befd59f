"""What a run says of itself while it goes on, and at its end."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trap_hpc.pipeline.records import Refusal

EXIT_GOOD, EXIT_INCOMPLETE = 0, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class JobGroup:
    """Jobs that are in the same state for the same reason."""

    state: str
    """``pending``, ``running``, ``ending`` or ``ended``."""
    jobs: int
    ids: str
    """As Slurm writes them: ``12_[0-3]``."""
    nodes: str
    reason: str
    """The scheduler's own word."""
    explanation: str
    """What that means, in a sentence, if it was worth asking."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """Who works for a run on a cluster, and who does not, and why."""

    workers: int
    """Worker processes that are in."""
    wanted: int
    jobs: str
    """``3 jobs: 2 running, 1 pending (Priority)``."""
    groups: tuple[JobGroup, ...]
    refusals: tuple[str, ...]
    """Why workers could not begin, each reason once."""
    failed: tuple[str, ...] = ()
    """Jobs whose logs may say more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run is. Counts are images; ``images`` grows until all are scanned."""

    phase: str
    """``scanning``, ``measuring``, ``associating``, ``finishing`` or ``done``; or
    ``stopped``: something is left, and nobody works on it."""
    images: int
    scanned: int
    measured: int
    associated: int
    refused: int
    rejected: int = 0
    """By quality checks."""
    duplicates: int = 0
    """Images whose content is that of another one, which is used."""
    elapsed_s: float
    rate_per_s: float
    """Images per second of this session, from measuring to light curves."""
    left_s: float | None
    """Time left; None as long as nobody knows, and if nobody works on it."""
    batches: int = 0
    """Tasks done in this session."""
    staff: Staff | None = None
    """On a cluster: the jobs and the workers in them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What came of a run."""

    run_id: str
    directory: Path
    images: int
    """All images that were found in the files named."""
    associated: int
    """Images whose sources are in the catalogue."""
    rejections: tuple[tuple[str, str], ...]
    """Images refused by quality checks: address and comment."""
    refusals: tuple[Refusal, ...]
    """Images that could not be used, and notes on some that were."""
    sources: int
    candidates: int
    likely: int
    """Candidates of type 1: above an earlier image's limit even at its noisiest."""
    elapsed_s: float
    database: str | None = None
    """Where the catalogue was published, besides."""

    @property
    def exit_code(self) -> int:
        """0, or 3 if some images were unreadable or failed."""
        bad = any(r.kind in ("unreadable", "failed") for r in self.refusals)
        return EXIT_INCOMPLETE if bad else EXIT_GOOD
