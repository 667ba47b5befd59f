"""Header cards with types: text, numbers and counts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Protocol

from trap_hpc.errors import ImageError


class Values(Protocol):
    """A mapping, or astropy's ``Header``."""

    def get(self, key: str, default: Any = None, /) -> Any:
        """Return the value of ``key``."""


class Cards:
    """Typed access to a header; a value of the wrong type is an ImageError."""

    def __init__(self, values: Values) -> None:
        self._values = values

    def __contains__(self, key: str) -> bool:
        return self.raw(key) is not None

    def raw(self, key: str) -> Any:
        """Return the value as it stands; None if there is none."""
        try:
            value = self._values.get(key)
        except Exception as error:
            raise ImageError(f"{key} in its header can't be understood") from error
        return None if _undefined(value) else value

    def text(self, key: str) -> str:
        """Return the value as text without outer blanks; empty if absent."""
        value = self.raw(key)
        return "" if value is None else str(value).strip()

    def number(self, key: str) -> float | None:
        """Return a finite number; None if absent."""
        value = self.raw(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ImageError(f"{key} in its header is not a number: {value!r}")
        if not math.isfinite(value):
            raise ImageError(f"{key} in its header is not finite: {value!r}")
        return float(value)

    def number_or(self, key: str, default: float) -> float:
        """Return a finite number; ``default`` if absent."""
        value = self.number(key)
        return default if value is None else value

    def count(self, key: str) -> int | None:
        """Return a whole number >= 0; None if absent."""
        value = self.raw(key)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise ImageError(f"{key} in its header is not a count: {value!r}")
        return value

    def history(self) -> Iterator[str]:
        """Yield the lines of HISTORY."""
        yield from (str(line) for line in self._values.get("HISTORY") or ())


def _undefined(value: Any) -> bool:
    """Whether a card is absent or has no value (astropy's ``Undefined``)."""
    return value is None or type(value).__name__ == "Undefined"
