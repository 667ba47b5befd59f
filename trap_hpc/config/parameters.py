"""The job parameters: TraP's ``job_params.cfg`` as frozen records.

Sections, names and defaults are those of TraP r6.0; what is ours alone is marked.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Persistence:
    """``[persistence]``: the data set's name, and how an image's noise is estimated."""

    description: str = "TRAP dataset"
    dataset_id: int = -1
    rms_est_sigma: float = 4.0
    rms_est_fraction: float = 8.0
    bandwidth_max: float = 0.0
    """Hz; 0 takes each image's own bandwidth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """``[quality]``: which images are refused."""

    rms_est_history: int = 100
    rms_est_max: float = 100.0
    rms_est_min: float = 0.0
    rms_rej_sigma: float = 3.0
    oversampled_x: float = 30.0
    elliptical_x: float = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityLofar:
    """``[quality_lofar]``: checks for LOFAR images that name their stations."""

    low_bound: float = 1.0
    high_bound: float = 80.0
    min_separation: float = 10.0
    """Degrees from the brightest sources of the sky."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceExtraction:
    """``[source_extraction]``: blind extraction and forced fits."""

    detection_threshold: float = 8.0
    analysis_threshold: float = 3.0
    back_size_x: int = 50
    back_size_y: int = 50
    margin: int = 10
    deblend_nthresh: int = 0
    extraction_radius_pix: float = 250.0
    force_beam: bool = True
    box_in_beampix: float = 10.0
    ew_sys_err: float = 10.0
    """Arcseconds."""
    ns_sys_err: float = 10.0
    """Arcseconds."""
    expiration: int = 10
    forced_fit_centre: str = "exact"
    """Ours: ``exact``, or ``trap`` for TraP's centring, which loses flux."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Association:
    """``[association]``: which extractions belong to one source."""

    deruiter_radius: float = 5.68
    beamwidths_limit: float = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TransientSearch:
    """``[transient_search]``: what makes a source new."""

    new_source_sigma_margin: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """``[pipeline]``: TraP's modes; only ``batch`` is offered."""

    mode: str = "batch"
    hosts: str = ",,,,,"
    ports: str = "6666,6667,6668,6669,6670,6671"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobParameters:
    """All job parameters, by TraP's sections."""

    persistence: Persistence = field(default_factory=Persistence)
    quality: Quality = field(default_factory=Quality)
    quality_lofar: QualityLofar = field(default_factory=QualityLofar)
    source_extraction: SourceExtraction = field(default_factory=SourceExtraction)
    association: Association = field(default_factory=Association)
    transient_search: TransientSearch = field(default_factory=TransientSearch)
    pipeline: Pipeline = field(default_factory=Pipeline)
