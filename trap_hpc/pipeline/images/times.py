"""When an image was taken: DATE-OBS, END_UTC, TIMESYS and time axes."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from trap_hpc.config.environment import astropy_offline
from trap_hpc.errors import ImageError
from trap_hpc.pipeline.images.cards import Cards

MJD_1970 = 40587
_MICROSECOND = timedelta(microseconds=1)
_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d*))?)?\s*(Z|[+-]\d\d:?\d\d)?)?"
)
_OLD = re.compile(r"(\d\d)/(\d\d)/(\d\d)")
"""DD/MM/YY, of before 2000."""
_UTC = {"", "UTC", "UT", "UT1", "GMT", "Z"}
_ATOMIC = {"TAI": "tai", "IAT": "tai", "TT": "tt", "TDT": "tt", "ET": "tt", "TDB": "tt"}
"""Scales that run ahead of UTC, by their names in headers and in astropy."""
_DAYS_PER_YEAR = 365.242199


def start_and_duration(cards: Cards) -> tuple[int, float]:
    """Start in microseconds since 1970 UTC, and duration in seconds (0: not known).

    DATE-OBS and END_UTC are in the time system TIMESYS (UTC if it isn't there).
    Raises ImageError without DATE-OBS: a time made up would not be the same twice.
    """
    start = _moment(cards, "DATE-OBS")
    if start is None:
        raise ImageError(
            "it does not say when it was taken: DATE-OBS is missing in its header"
        )
    end = _moment(cards, "END_UTC")
    duration = timedelta(0) if end is None else end - start
    if duration < timedelta(0):
        raise ImageError(f"END_UTC, {end}, lies before DATE-OBS, {start}")
    return microseconds(_to_utc(start, cards.text("TIMESYS"))), duration.total_seconds()


def microseconds(moment: datetime) -> int:
    """Microseconds from 1970 to a UTC time that carries no time zone."""
    return (moment - datetime(1970, 1, 1)) // _MICROSECOND


def mjd_to_microseconds(mjd: float) -> int:
    """Microseconds since 1970 of a modified Julian date."""
    return round((mjd - MJD_1970) * 86_400_000_000)


def _moment(cards: Cards, key: str) -> datetime | None:
    """Read a date in any of the forms found in headers; None if absent."""
    value = cards.raw(key)
    if value is None or value == "":
        return None
    try:
        return _year(value) if isinstance(value, float) else _parsed(str(value))
    except (ValueError, OverflowError) as error:
        raise ImageError(
            f"{key} in its header is not a date that is understood: {value!r} "
            "(2014-03-01T12:00:00.0 would be)"
        ) from error


def _year(value: float) -> datetime:
    """Read a year with decimals, as old Westerbork files have it."""
    fraction, year = math.modf(value)
    return datetime(int(year), 1, 1) + timedelta(_DAYS_PER_YEAR * fraction)


def _parsed(text: str) -> datetime:
    if ";" in text and '"' in text:  # AIPS: "start";"end"
        text = text.split(";")[0].split('"')[1]
    text = text.strip()
    if match := _ISO.fullmatch(text):
        return _iso(*match.groups())
    if match := _OLD.fullmatch(text):
        day, month, year = (int(part) for part in match.groups())
        # Nobody had a radio image before 1933: such a year is of this century.
        return datetime(year + (2000 if year < 33 else 1900), month, day)
    raise ValueError(text)


def _iso(year: str, month: str, day: str, *rest: str | None) -> datetime:
    """Join the parts of an ISO date. Digits beyond microseconds are cut, as in TraP."""
    hour, minute, second, fraction, zone = rest
    seconds = int(second or 0)
    if seconds > 60:  # 60 is a leap second
        raise ValueError(second)
    return datetime(
        int(year), int(month), int(day), int(hour or 0), int(minute or 0)
    ) + timedelta(
        seconds=seconds,
        microseconds=int((fraction or "").ljust(6, "0")[:6]),
        minutes=-_offset_minutes(zone),
    )


def _offset_minutes(zone: str | None) -> int:
    """Minutes east of Greenwich of ``Z``, ``+02:00`` or ``+0200``."""
    if zone in (None, "Z"):
        return 0
    assert zone is not None
    digits = zone[1:].replace(":", "")
    return int(zone[0] + "1") * (int(digits[:2]) * 60 + int(digits[2:]))


def _to_utc(moment: datetime, system: str) -> datetime:
    """Convert from the time scale or the time zone ``system``."""
    if system.upper() in _UTC:
        return moment
    if system.upper() in _ATOMIC:
        return _from_atomic(moment, _ATOMIC[system.upper()])
    try:
        zone = ZoneInfo(system)
    except (KeyError, ValueError, OSError) as error:
        raise ImageError(
            f"TIMESYS in its header, {system!r}, is neither a time scale nor a time "
            "zone (UTC, TAI, TT...)"
        ) from error
    return moment.replace(tzinfo=zone).astimezone(UTC).replace(tzinfo=None)


def _from_atomic(moment: datetime, scale: str) -> datetime:
    from astropy.time import Time  # slow to import, and rarely needed

    # What a download brings would make the same header mean another time tomorrow.
    astropy_offline()
    utc: datetime = Time(moment, scale=scale).utc.to_datetime()
    return utc
