"""Frequency and bandwidth of a header."""

from __future__ import annotations

from collections.abc import Sequence

from trap_hpc.errors import ImageError
from trap_hpc.pipeline.images.axes import Axis
from trap_hpc.pipeline.images.cards import Cards

_BANDWIDTH_HZ = 1e6
"""Where a header gives none, as in TraP."""
_ABSURD_HZ = 1e16


def frequency_of(cards: Cards, axes: Sequence[Axis]) -> tuple[float, float]:
    """Effective frequency and bandwidth in Hz of an image of one channel.

    In TraP's order: RESTFRQ (with RESTBW, else 1 MHz), the FREQ axis, RESTFREQ.
    """
    if (rest := cards.number_or("RESTFRQ", 0.0)) > 0:
        return checked(rest, cards.number_or("RESTBW", _BANDWIDTH_HZ))
    for axis in axes:
        if axis.kind == "frequency":
            return checked(axis.value(0), axis.step)
    if (rest := cards.number_or("RESTFREQ", 0.0)) > 0:
        return checked(rest, _BANDWIDTH_HZ)
    raise ImageError(
        "its frequency is not known: neither RESTFRQ nor a FREQ axis nor RESTFREQ in "
        "its header"
    )


def checked(frequency_hz: float, bandwidth_hz: float) -> tuple[float, float]:
    """Return both, the bandwidth without sign; refuse what can't be a frequency."""
    if not 0 < frequency_hz < _ABSURD_HZ or abs(bandwidth_hz) > _ABSURD_HZ:
        raise ImageError(
            f"a frequency of {frequency_hz:g} Hz with a bandwidth of "
            f"{bandwidth_hz:g} Hz makes no sense"
        )
    return frequency_hz, abs(bandwidth_hz)
