"""What each job parameter may be: one row a parameter, beside parameters.py."""

from __future__ import annotations

import math
from dataclasses import dataclass

from trap_hpc.config.parameters import JobParameters


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """From ``low`` to ``high``, both included unless ``above`` shuts ``low`` out."""

    low: float = -math.inf
    high: float = math.inf
    above: bool = False

    def allow(self, value: float) -> bool:
        """Whether ``value`` is within; NaN and infinity never are."""
        enough = value > self.low if self.above else value >= self.low
        return math.isfinite(value) and enough and value <= self.high

    def __str__(self) -> str:
        """Read as the end of "it must be ..."."""
        if math.isfinite(self.high):
            return f"from {self.low:g} to {self.high:g}"
        if math.isfinite(self.low):
            return f"{'above' if self.above else 'at least'} {self.low:g}"
        return "a finite number"


POSITIVE = Limits(low=0, above=True)
NOT_NEGATIVE = Limits(low=0)

LIMITS: dict[str, Limits] = {
    "persistence.rms_est_sigma": POSITIVE,
    # The noise is estimated in the middle 2 / fraction of an image.
    "persistence.rms_est_fraction": Limits(low=2),
    "persistence.bandwidth_max": NOT_NEGATIVE,
    "quality.rms_est_history": NOT_NEGATIVE,
    "quality.rms_est_max": POSITIVE,
    "quality.rms_est_min": NOT_NEGATIVE,
    "quality.rms_rej_sigma": POSITIVE,
    "quality.oversampled_x": POSITIVE,
    "quality.elliptical_x": Limits(low=1),
    "quality_lofar.low_bound": NOT_NEGATIVE,
    "quality_lofar.high_bound": POSITIVE,
    "quality_lofar.min_separation": Limits(low=0, high=180),
    "source_extraction.detection_threshold": POSITIVE,
    "source_extraction.analysis_threshold": POSITIVE,
    # A tile's noise is a standard deviation: less than a few pixels have none.
    "source_extraction.back_size_x": Limits(low=4),
    "source_extraction.back_size_y": Limits(low=4),
    "source_extraction.margin": NOT_NEGATIVE,
    # More sub-thresholds than that cost time and part nothing: TraP's own limit.
    "source_extraction.deblend_nthresh": Limits(low=0, high=300),
    "source_extraction.extraction_radius_pix": POSITIVE,
    "source_extraction.box_in_beampix": POSITIVE,
    "source_extraction.ew_sys_err": NOT_NEGATIVE,
    "source_extraction.ns_sys_err": NOT_NEGATIVE,
    "source_extraction.expiration": NOT_NEGATIVE,
    "association.deruiter_radius": POSITIVE,
    "association.beamwidths_limit": POSITIVE,
    "transient_search.new_source_sigma_margin": NOT_NEGATIVE,
}

CHOICES: dict[str, tuple[str, ...]] = {
    "source_extraction.forced_fit_centre": ("exact", "trap"),
}

NOT_OFFERED = {
    "pipeline.mode": (
        "batch",
        "TraP's streaming is not offered here: images come from files, so the mode is "
        "'batch'",
    ),
    "persistence.dataset_id": (
        -1,
        "appending to an existing data set is not offered: every run makes a data set "
        "of its own, so the id is -1",
    ),
}
"""Values of TraP's that we don't have: the only one that we do, and what we say."""


def contradictions(parameters: JobParameters) -> list[str]:
    """Sentences about values that are fine alone and make no sense together."""
    finder, quality, lofar = (
        parameters.source_extraction,
        parameters.quality,
        parameters.quality_lofar,
    )
    ordered = [
        (
            "source_extraction.analysis_threshold",
            finder.analysis_threshold <= finder.detection_threshold,
            f"at most detection_threshold ({finder.detection_threshold:g})",
        ),
        (
            "quality.rms_est_min",
            quality.rms_est_min < quality.rms_est_max,
            f"below rms_est_max ({quality.rms_est_max:g})",
        ),
        (
            "quality_lofar.low_bound",
            lofar.low_bound < lofar.high_bound,
            f"below high_bound ({lofar.high_bound:g})",
        ),
    ]
    return [f"{name} must be {rule}" for name, good, rule in ordered if not good]
