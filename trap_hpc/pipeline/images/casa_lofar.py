"""What LOFAR's CASA images say beyond others, in the words of a LOFAR FITS header.

The sub-tables are those of LOFAR's description of CASA images, version 0.03.00.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from trap_hpc.errors import ImageError
from trap_hpc.pipeline.images.casa_tables import opened_table
from trap_hpc.pipeline.images.times import MJD_1970

_HERTZ = {"Hz": 1.0, "kHz": 1e3, "MHz": 1e6, "GHz": 1e9}
_SUBBANDS_PER_CLOCK = 1024
_STATIONS = {"CS": "NCORE", "RS": "NREMOTE"}


def lofar_cards(path: str, groups: Mapping[str, Any]) -> dict[str, Any]:
    """Read times, stations and subbands from the sub-tables of the image."""
    with _opened(path, groups, "LOFAR_OBSERVATION") as observation:
        cards = _start(observation) | {
            "ANTENNA": str(_single(observation, "ANTENNA_SET")),
            "SUBBANDW": _clock_hz(observation) / _SUBBANDS_PER_CLOCK,
        }
        visibilities = observation.getcol("NVIS_USED")
    with _opened(path, groups, "LOFAR_ORIGIN") as origin:
        cards["SUBBANDS"] = int(_single(origin, "NUM_CHAN"))
        cards["TAU_TIME"] = _time_on_sky(origin)
    with _opened(path, groups, "LOFAR_ANTENNA") as antenna:
        used = visibilities.sum(axis=2)[0] > 0
        names = [n for n, u in zip(antenna.getcol("NAME"), used, strict=True) if u]
    return cards | _stations(names)


@contextmanager
def _opened(path: str, groups: Mapping[str, Any], name: str) -> Iterator[Any]:
    """Open a sub-table, wherever the image has been moved to since it was made."""
    recorded = str(groups[name]).removeprefix("Table: ")
    beside = os.path.join(path, os.path.basename(recorded))
    place = beside if os.path.isdir(beside) else recorded
    with opened_table(place) as table:
        yield table


def _single(table: Any, column: str) -> Any:
    """Return the one value of a column that must not vary."""
    values = set(table.getcol(column))
    if len(values) != 1:
        raise ImageError(f"it mixes observations: {column} has {len(values)} values")
    return values.pop()


def _start(observation: Any) -> dict[str, Any]:
    """DATE-OBS: the earliest start (MJD in seconds)."""
    seconds = float(min(observation.getcol("OBSERVATION_START")))
    start = datetime(1970, 1, 1) + timedelta(seconds=seconds - MJD_1970 * 86400)
    return {
        "DATE-OBS": start.isoformat(timespec="microseconds"),
        "END_UTC": None,
        "TIMESYS": "UTC",
    }


def _clock_hz(observation: Any) -> float:
    unit = observation.getcolkeyword("CLOCK_FREQUENCY", "QuantumUnits")[0]
    return float(_single(observation, "CLOCK_FREQUENCY")) * _HERTZ[unit]


def _time_on_sky(origin: Any) -> float:
    """Seconds covered by the union of all intervals, ends cut to whole seconds."""
    intervals = zip(origin.getcol("START"), origin.getcol("END"), strict=True)
    total, covered = 0, 0
    for start, end in sorted((int(start), int(end)) for start, end in intervals):
        total += max(0, end - max(start, covered))
        covered = max(covered, end)
    return float(total)


def _stations(names: list[str]) -> dict[str, Any]:
    """Count the stations by the first two letters of their names."""
    counts = {"NCORE": 0, "NREMOTE": 0, "NINTL": 0}
    for name in names:
        counts[_STATIONS.get(name[:2], "NINTL")] += 1
    return counts
