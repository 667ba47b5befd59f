"""Frequency bands: which images are of one band."""

from __future__ import annotations

import numpy as np

from trap_hpc.pipeline.records import BAND, Header, Rows


class Bands:
    """All bands so far; their ranges never widen."""

    def __init__(self, bandwidth_max_hz: float) -> None:
        self._bandwidth_max = bandwidth_max_hz
        self._bands: list[tuple[float, float, float]] = []

    def find(self, header: Header) -> int:
        """Return the id of the first band that the image's range overlaps.

        An image that overlaps none makes a band. Ranges that only touch don't overlap.
        """
        central = header.freq_eff_hz
        half = (self._bandwidth_max or header.freq_bw_hz) / 2
        low, high = central - half, central + half
        for number, (_, band_low, band_high) in enumerate(self._bands, start=1):
            joint = max(high, band_high) - min(low, band_low)
            if joint < (high - low) + (band_high - band_low):
                return number
        self._bands.append((central, low, high))
        return len(self._bands)

    def rows(self) -> Rows:
        """Return BAND rows."""
        bands = [(n, *band) for n, band in enumerate(self._bands, start=1)]
        return np.array(bands, BAND)
