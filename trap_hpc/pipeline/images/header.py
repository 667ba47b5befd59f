"""From the cards of a file to what the pipeline knows of its planes.

The keys and their meaning are TraP's; where TraP guesses, the file is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from trap_hpc.errors import ImageError
from trap_hpc.pipeline.images.axes import (
    Axis,
    axes_of,
    count_of,
    lengths,
    places,
    stokes_of,
)
from trap_hpc.pipeline.images.beam import beam_of
from trap_hpc.pipeline.images.cards import Cards
from trap_hpc.pipeline.images.celestial import pixel_size_deg, sky_of
from trap_hpc.pipeline.images.image import LofarHeader, Plane
from trap_hpc.pipeline.images.projection import Projection
from trap_hpc.pipeline.images.spectrum import checked, frequency_of
from trap_hpc.pipeline.images.times import (
    MJD_1970,
    microseconds,
    mjd_to_microseconds,
    start_and_duration,
)
from trap_hpc.pipeline.records import Header, Refusal

_OLDEST_MJD = 15020
"""1900. A larger time can't be counted from DATE-OBS: it is a date."""
_FIRST_US = microseconds(datetime.min)
_LAST_US = microseconds(datetime.max)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a file holds. ``first`` is its first plane, with the file's own address."""

    first: Plane
    axes: Sequence[Axis]
    mjd_reference: float | None = None
    """Where the time axis starts, if the header says so."""

    def planes(self) -> Iterator[Plane | Refusal]:
        """Yield every plane, in the order of the file; all but Stokes I refused."""
        for index in range(count_of(self.axes)):
            address = self._address(index)
            try:
                yield self.plane(address, index)
            except ImageError as error:
                unused = stokes_of(self.axes, index) != "I"
                kind = "left out" if unused else "unreadable"
                yield Refusal(address=address, kind=kind, reason=str(error))

    def plane(self, address: str, index: int) -> Plane:
        """One plane. Raises ImageError for one that isn't there or isn't Stokes I."""
        if not 0 <= index < count_of(self.axes):
            raise ImageError(
                f"there is no plane {index}: it has {count_of(self.axes)}, from 0"
            )
        if (stokes := stokes_of(self.axes, index)) != "I":
            raise ImageError(f"Stokes {stokes} is not used, only Stokes I")
        return replace(self.first, header=self._header(address, index))

    def _address(self, index: int) -> str:
        path = self.first.header.address
        return f"{path}[{index}]" if count_of(self.axes) > 1 else path

    def _header(self, address: str, index: int) -> Header:
        header = replace(self.first.header, address=address)
        for axis, place in zip(self.axes, places(self.axes, index), strict=True):
            if axis.length == 1:
                continue
            if axis.kind == "frequency":
                frequency, bandwidth = checked(axis.value(place), axis.step)
                header = replace(header, freq_eff_hz=frequency, freq_bw_hz=bandwidth)
            elif axis.kind == "time":
                start = self._start_us(axis.value(place))
                header = replace(header, taustart_us=start, tau_time_s=abs(axis.step))
        return header

    def _start_us(self, seconds: float) -> int:
        """When a plane of a time axis starts.

        Counted from MJDREF if the header has it, else from DATE-OBS, unless the value
        is so large that it is a modified Julian date of its own.
        """
        if self.mjd_reference is not None:
            start = mjd_to_microseconds(self.mjd_reference)
        elif seconds > _OLDEST_MJD * 86400:
            start = -MJD_1970 * 86_400_000_000
        else:
            start = self.first.header.taustart_us
        start += round(seconds * 1e6)
        if not _FIRST_US <= start < _LAST_US:
            raise ImageError(f"{seconds:g} s on its time axis is not a time")
        return start


def contents_of(cards: Cards, path: str) -> Contents:
    """Read the header of a file. Raises ImageError if it lacks what is needed."""
    nx, ny = lengths(cards)[:2]
    axes = axes_of(cards)
    sky = sky_of(cards)
    deltax, deltay = pixel_size_deg(sky)
    smaj, smin, pa = beam_of(cards, deltax, deltay)
    frequency, bandwidth = _frequency(cards, axes)
    start, duration = start_and_duration(cards)
    lofar = lofar_of(cards)
    if lofar is not None:
        duration = cards.number_or("TAU_TIME", duration)
    centre_ra, centre_decl = _centre(sky, nx, ny)
    header = Header(
        address=path,
        taustart_us=start,
        tau_time_s=duration,
        freq_eff_hz=frequency,
        freq_bw_hz=bandwidth,
        rb_smaj_deg=smaj,
        rb_smin_deg=smin,
        rb_pa_deg=pa,
        deltax_deg=deltax,
        deltay_deg=deltay,
        centre_ra_deg=centre_ra,
        centre_decl_deg=centre_decl,
        nx=nx,
        ny=ny,
        telescope=cards.text("TELESCOP"),
    )
    return Contents(
        first=Plane(header=header, sky=sky, lofar=lofar),
        axes=axes,
        mjd_reference=cards.number("MJDREF"),
    )


def lofar_of(cards: Cards) -> LofarHeader | None:
    """Read the cards on LOFAR's stations; None for an image that has none."""
    if cards.text("TELESCOP") != "LOFAR" or "ANTENNA" not in cards:
        return None
    ncore, nremote, nintl, subbands = (
        _needed(cards, key) for key in ("NCORE", "NREMOTE", "NINTL", "SUBBANDS")
    )
    return LofarHeader(
        antenna_set=cards.text("ANTENNA"),
        ncore=int(ncore),
        nremote=int(nremote),
        nintl=int(nintl),
        subbands=int(subbands),
        subbandwidth_hz=_needed(cards, "SUBBANDW"),
    )


def _needed(cards: Cards, key: str) -> float:
    value = cards.number(key)
    if value is None or value < 0:
        raise ImageError(
            f"it names its LOFAR antennas (ANTENNA), but {key} is missing or negative"
        )
    return value


def _frequency(cards: Cards, axes: Sequence[Axis]) -> tuple[float, float]:
    """Of the first plane: a longer FREQ axis goes before all else."""
    for axis in axes:
        if axis.kind == "frequency" and axis.length > 1:
            return checked(axis.value(0), axis.step)
    return frequency_of(cards, axes)


def _centre(sky: Projection, nx: int, ny: int) -> tuple[float, float]:
    """Position of pixel (nx / 2, ny / 2), 0-based, as TraP has it."""
    ra, decl = sky.to_sky(nx / 2, ny / 2)
    # False for NaN too.
    if not (0 <= float(ra) <= 360 and abs(float(decl)) <= 90):
        raise ImageError("the centre of the image does not lie on the sky")
    return float(ra), float(decl)
