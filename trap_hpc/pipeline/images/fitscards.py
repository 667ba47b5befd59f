"""The cards of a FITS header, each parsed when it is asked for, and once.

The images of a night have headers that differ in a card or two; astropy parses a card
in some 50 us, and a header has a hundred of them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from astropy.io import fits

CARD = 80
_CONTINUED = "CONTINUE"


class FitsCards:
    """A mapping of keywords to values over a header's text."""

    def __init__(self, text: str) -> None:
        self._cards: dict[str, str] = {}
        self._history: list[str] = []
        for start in range(0, len(text), CARD):
            card = text[start : start + CARD]
            keyword = card[:8].rstrip()
            if keyword == "HISTORY":
                self._history.append(card[8:].rstrip())
            self._cards.setdefault(keyword, card)
        # A text that goes on over several cards is left to astropy as a whole.
        self._whole = fits.Header.fromstring(text) if self._is_continued else None

    @property
    def _is_continued(self) -> bool:
        return _CONTINUED in self._cards

    def get(self, key: str, default: Any = None, /) -> Any:
        """Return the value of the first card called ``key``; the lines of HISTORY."""
        if key == "HISTORY":
            return self._history
        if self._whole is not None:
            return self._whole.get(key, default)
        card = self._cards.get(key)
        return default if card is None else _value(card)


@lru_cache(maxsize=2**12)
def _value(card: str) -> Any:
    return fits.Card.fromstring(card).value
