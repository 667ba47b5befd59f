"""The quality check that needs history: the noise of the latest images of a band."""

from __future__ import annotations

import math
from collections import defaultdict, deque

import numpy as np

from trap_hpc.config.parameters import Quality
from trap_hpc.pipeline.records import Rejection

RMS_INVALID = 0
"""TraP's reject reason."""


class NoiseHistory:
    """The noise of the latest images of each band, refused ones included.

    Images are recorded in order of time, and all of one time before any of them is
    checked; so an image is compared with a history that holds itself. Noise that is
    not a number is left out: TraP falls over it.
    """

    def __init__(self, quality: Quality) -> None:
        self._quality = quality
        self._latest: defaultdict[int, deque[float]] = defaultdict(
            lambda: deque(maxlen=quality.rms_est_history)
        )

    def record(self, band: int, rms_qc: float) -> None:
        """Take note of an image's noise in Jy."""
        if math.isfinite(rms_qc):
            self._latest[band].append(rms_qc)

    def check(self, band: int, rms_qc: float) -> Rejection | None:
        """Refuse an image whose noise is far from what is usual for its band."""
        latest = self._latest[band]
        if not latest or len(latest) < self._quality.rms_est_history:
            return None
        values = np.array(latest)
        mean, sigma = float(values.mean()), float(values.std())
        reach = sigma * self._quality.rms_rej_sigma
        if mean - reach < rms_qc < mean + reach:
            return None
        comment = (
            f"noise of {rms_qc:.6g} Jy is not within {mean - reach:.6g} and "
            f"{mean + reach:.6g} Jy, {self._quality.rms_rej_sigma:g} sigma about the "
            f"mean of the latest {len(latest)} images of its band"
        )
        return Rejection(reason=RMS_INVALID, comment=comment)
