"""The frozen data that passes between the steps of the pipeline.

Rows of one kind are numpy structured arrays whose field names are the column names
of TraP's database, so that every step and the catalogue speak of the same thing.
Angles are degrees unless a comment says otherwise; fluxes Jy; times microseconds
since 1970-01-01 UTC (integers: equal times are exactly equal).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.void]
"""A one-dimensional structured array."""
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def _dtype(floats: str, integers: str = "", booleans: str = "") -> np.dtype[np.void]:
    """Make a structured type; ids come first, as in TraP's tables."""
    names = [(name, "<i8") for name in integers.split()]
    names += [(name, "<f8") for name in floats.split()]
    names += [(name, "?") for name in booleans.split()]
    return np.dtype(names)


SOURCE = _dtype(
    "ra decl ra_fit_err decl_fit_err f_peak f_peak_err f_int f_int_err det_sigma "
    "semimajor semiminor pa ew_sys_err ns_sys_err error_radius chisq reduced_chisq",
    booleans="gaussian",
)
"""What the source finder measures. Arcsec: semimajor, semiminor (half widths at half
maximum), ew_sys_err, ns_sys_err, error_radius. pa is east of north. A forced fit that
failed is a row whose f_peak is NaN."""

EXTRACTED = np.dtype(
    SOURCE.descr
    + _dtype("zone uncertainty_ew uncertainty_ns ra_err decl_err x y z racosdecl").descr
)
"""A row of ``extractedsource``: SOURCE and what follows from it (sources.derive)."""

REQUEST = _dtype("ra decl", "target")
"""A forced fit that an image owes. target: a running-catalogue index >= 0, or
``-1 - m`` for monitoring position m."""

ASSOCIATION = _dtype(
    "distance_arcsec r v_int eta_int", "id runcat xtrsrc type f_datapoints"
)
"""A row of ``assocxtrsource``: a point of a light curve."""

SKYREGION = _dtype("centre_ra centre_decl xtr_radius x y z", "id")
BAND = _dtype("freq_central freq_low freq_high", "id")
RUNCAT = _dtype(
    "wm_ra wm_decl wm_uncertainty_ew wm_uncertainty_ns avg_ra_err avg_decl_err "
    "avg_wra avg_wdecl avg_weight_ra avg_weight_decl x y z",
    "id xtrsrc datapoints zone forcedfits_count",
    "inactive mon_src",
)
RUNCAT_FLUX = _dtype(
    "avg_f_peak avg_f_peak_sq avg_f_peak_weight avg_weighted_f_peak "
    "avg_weighted_f_peak_sq avg_f_int avg_f_int_sq avg_f_int_weight "
    "avg_weighted_f_int avg_weighted_f_int_sq",
    "id runcat band f_datapoints",
)
NEWSOURCE = _dtype("", "id runcat trigger_xtrsrc previous_limits_image newsource_type")
ASSOCSKYRGN = _dtype("distance_deg", "id runcat skyrgn")
MONITOR = _dtype("ra decl", "id runcat")
"""runcat is 0 while no fit there has succeeded."""
SPLIT = _dtype("", "parent child")
"""A 1-to-many association: the parent's light curve passes to the child as type 6."""


def no_rows(dtype: np.dtype[np.void]) -> Rows:
    """Make an empty array of ``dtype``."""
    return np.empty(0, dtype)


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What the pipeline knows of one image (a plane of a file) without its pixels.

    The beam's axes are half widths (TraP's ``rb_smaj`` is a semi-major axis in
    degrees). ``centre_*`` is the sky position of pixel (nx / 2, ny / 2), 0-based.
    """

    address: str
    """``file.fits``, ``file.fits[3]``, ``night.h5#17``."""
    taustart_us: int
    tau_time_s: float
    freq_eff_hz: float
    freq_bw_hz: float
    rb_smaj_deg: float
    rb_smin_deg: float
    rb_pa_deg: float
    deltax_deg: float
    deltay_deg: float
    centre_ra_deg: float
    centre_decl_deg: float
    nx: int
    ny: int
    telescope: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An image that could not be used, and why: nothing is lost in silence."""

    address: str
    kind: str
    """``unreadable``, ``failed``, ``left out`` or ``duplicate``."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """An image that a quality check refused (TraP's ``rejection``)."""

    reason: int
    """Key of ``quality.REASONS``."""
    comment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredImage:
    """The outcome of step A for one image. A rejected image has no sources."""

    header: Header
    content: str
    """Hash over the pixels and the header's facts: same content, same image."""
    rms_qc: float
    rms_min: float = float("nan")
    rms_max: float = float("nan")
    rejection: Rejection | None = None
    blind: Rows = field(default_factory=lambda: no_rows(EXTRACTED))
    """EXTRACTED rows, in the order of extraction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForcedImage:
    """The outcome of step C for one image."""

    address: str
    requests: Rows
    """REQUEST rows."""
    fits: Rows
    """EXTRACTED rows, one a request; f_peak is NaN where the fit failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalTables:
    """The tables that are only known once the last image is in."""

    skyregion: Rows
    frequencyband: Rows
    runningcatalog: Rows
    runningcatalog_flux: Rows
    newsource: Rows
    assocskyrgn: Rows
    monitor: Rows
    splits: Rows
    """SPLIT rows in the order of their happening."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRow:
    """A row of ``image``, with its id and its place in the sky and the spectrum."""

    id: int
    band: int
    skyrgn: int
    image: MeasuredImage
    rejection: Rejection | None
    """The image's own, or that of the checks that need history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRows:
    """What one time step adds to the catalogue, complete and final."""

    taustart_us: int
    images: Sequence[ImageRow]
    extracted: Rows
    """EXTRACTED rows: blind ones image by image, then the forced fits."""
    extracted_id: Integers
    extracted_image: Integers
    extract_type: Integers
    """0 blind, 1 forced fit of a null detection, 2 monitoring."""
    ff_runcat: Integers
    """Running-catalogue id of a null detection, else 0."""
    ff_monitor: Integers
    """Monitor id of a monitoring fit, else 0."""
    associations: Rows
    """ASSOCIATION rows."""


def concatenated(parts: Sequence[Rows], dtype: np.dtype[np.void]) -> Rows:
    """Join all parts, also when there are none."""
    return np.concatenate(parts) if parts else no_rows(dtype)
