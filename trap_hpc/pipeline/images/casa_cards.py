"""The keywords of a CASA image in the words of a FITS header."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from trap_hpc.errors import ImageError
from trap_hpc.pipeline.images.axes import STOKES
from trap_hpc.pipeline.images.times import mjd_to_microseconds

Keywords = Mapping[str, Any]
Values = dict[str, Any]

_DURATION_S = 1
"""CASA images don't say how long they took; TraP has 1 s for them."""
_DEGREES = {"deg": 1.0, "arcmin": 1 / 60, "arcsec": 1 / 3600, "rad": math.degrees(1.0)}
_LONGITUDE = {"Right Ascension": "RA", "Declination": "DEC"}
_LINEAR_TO = 1e-6
"""How even the steps of a spectral axis must be, relative to a step."""


def cards_of(keywords: Keywords, shape: Sequence[int]) -> Values:
    """Translate ``coords`` and ``imageinfo``. ``shape`` is that of the map, x first."""
    coords = keywords.get("coords")
    if not coords:
        raise ImageError("it is a CASA table without coordinates: not an image")
    cards: Values = {"NAXIS": len(shape), "TELESCOP": coords.get("telescope", "")}
    cards |= {f"NAXIS{n}": int(length) for n, length in enumerate(shape, start=1)}
    for name, record in coords.items():
        kind = name.rstrip("0123456789")
        if kind in _TRANSLATE and kind != name:
            axes = [int(axis) + 1 for axis in coords[f"pixelmap{name[len(kind) :]}"]]
            cards |= _TRANSLATE[kind](record, axes)
    return cards | _date(coords) | _beam(keywords.get("imageinfo", {}))


def _direction(record: Keywords, axes: list[int]) -> Values:
    if axes != [1, 2]:
        raise ImageError("the first two axes of its pixels are not those of the sky")
    cards: Values = {"LONPOLE": _float(record["longpole"])}
    cards["LATPOLE"] = _float(record["latpole"])
    for i, name in enumerate(record["axes"]):
        axis = _LONGITUDE.get(name, name)
        cards[f"CTYPE{i + 1}"] = f"{axis:-<4}-{record['projection']}"
        cards[f"CUNIT{i + 1}"] = record["units"][i]
        cards[f"CRVAL{i + 1}"] = _float(record["crval"][i])
        cards[f"CDELT{i + 1}"] = _float(record["cdelt"][i])
        cards[f"CRPIX{i + 1}"] = _float(record["crpix"][i]) + 1
        for j in range(2):
            cards[f"PC{i + 1}_{j + 1}"] = _float(record["pc"][i][j])
    first = 0 if record["projection"] == "ZPN" else 1
    parameters = enumerate(record["projection_parameters"], start=first)
    return cards | {f"PV2_{n}": _float(value) for n, value in parameters}


def _spectral(record: Keywords, axes: list[int]) -> Values:
    """RESTFRQ and RESTBW as TraP takes them, and the FREQ axis."""
    if "tabular" in record:
        values = [_float(value) for value in record["tabular"]["worldvalues"]]
        axis = _even(values, _float(record["tabular"]["cdelt"]))
    else:
        wcs = record["wcs"]
        axis = _float(wcs["crval"]), _float(wcs["cdelt"]), _float(wcs["crpix"])
    crval, cdelt, crpix = axis
    cards: Values = {"RESTFRQ": _float(record["restfreq"]), "RESTBW": abs(cdelt)}
    if axes == [0]:  # the axis was dropped: its length was 1
        return cards if cards["RESTFRQ"] > 0 else cards | {"RESTFRQ": crval}
    cards |= _axis(axes[0], "FREQ", crval, cdelt, crpix)
    return cards | {f"CUNIT{axes[0]}": record.get("unit", "Hz")}


def _stokes(record: Keywords, axes: list[int]) -> Values:
    codes = {name: code for code, name in STOKES.items()}
    values = [float(codes.get(name, 0)) for name in record["stokes"]]
    return _axis(axes[0], "STOKES", *_even(values, 1.0))


_TRANSLATE = {"direction": _direction, "spectral": _spectral, "stokes": _stokes}


def _axis(number: int, name: str, crval: float, cdelt: float, crpix: float) -> Values:
    """Cards of an axis whose reference pixel counts from 0."""
    return {
        f"CTYPE{number}": name,
        f"CRVAL{number}": crval,
        f"CDELT{number}": cdelt,
        f"CRPIX{number}": crpix + 1,
    }


def _even(values: Sequence[float], step: float) -> tuple[float, float, float]:
    """Start, step and reference pixel of evenly spaced values."""
    if len(values) > 1:
        step = (values[-1] - values[0]) / (len(values) - 1)
    for i, value in enumerate(values):
        if abs(value - values[0] - i * step) > _LINEAR_TO * abs(step):
            raise ImageError(
                "the planes of its cube are not evenly spaced: make an image of each"
            )
    return values[0], step, 0.0


def _date(coords: Keywords) -> Values:
    """DATE-OBS and END_UTC. A date of zero was never set."""
    epoch = coords.get("obsdate", {})
    mjd = _float(epoch.get("m0", {}).get("value", 0.0))
    if not mjd > 0:
        return {}
    start = datetime(1970, 1, 1) + timedelta(microseconds=mjd_to_microseconds(mjd))
    return {
        "DATE-OBS": start.isoformat(timespec="microseconds"),
        "END_UTC": (start + timedelta(seconds=_DURATION_S)).isoformat(),
        "TIMESYS": epoch.get("refer", "UTC"),
    }


def _beam(info: Keywords) -> Values:
    beam = info.get("restoringbeam")
    if beam is None and "perplanebeams" in info:
        raise ImageError(
            "each of its planes has a beam of its own: convolve it to one beam "
            "(CASA's imsmooth with kernel='commonbeam')"
        )
    if beam is None:
        raise ImageError("its restoring beam is not known: imageinfo has none")
    names = {"BMAJ": "major", "BMIN": "minor", "BPA": "positionangle"}
    return {card: _degrees(beam[name]) for card, name in names.items()}


def _degrees(quantity: Keywords) -> float:
    unit = quantity["unit"]
    if unit not in _DEGREES:
        raise ImageError(f"the unit of its beam, {unit!r}, is not understood")
    return _float(quantity["value"]) * _DEGREES[unit]


def _float(value: Any) -> float:
    """Any of numpy's numbers as Python's own."""
    return float(value)
