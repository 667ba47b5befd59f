"""Text of others, made fit to be shown: no passwords, nothing that moves a terminal.

Names of files, headers of images and what jobs say may come from anybody. Control
characters among them could colour, hide or rewrite what a terminal shows.
"""

from __future__ import annotations

import re
import unicodedata

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
"""What terminals are told by."""
_HARMLESS = {"\n", "\t"}
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
"""Categories of characters that move something, or are not seen: controls, changes of
direction, halves of characters."""

_PASSWORD = re.compile(r"(?P<head>//[^:/@?#]*):.*@", re.DOTALL)
_QUERY_PASSWORD = re.compile(r"(?P<head>[?&]password=)[^&#]*", re.IGNORECASE)


def printable(text: str) -> str:
    """Return ``text`` without what moves a terminal; its lines remain lines."""
    if text.isprintable():
        return text
    text = _ESCAPES.sub("", text)
    return "".join(c if _is_harmless(c) else "\N{REPLACEMENT CHARACTER}" for c in text)


def one_line(text: str) -> str:
    """Return ``text`` as `printable` does, as one line."""
    return printable(text).replace("\n", "\N{REPLACEMENT CHARACTER}")


def has_password(url: str) -> bool:
    """Whether a password stands in the URL, where every user of the host sees it."""
    return bool(_PASSWORD.search(url) or _QUERY_PASSWORD.search(url))


def redacted(url: str) -> str:
    """Return the URL with ``***`` for a password: fit for messages and logs."""
    url = _PASSWORD.sub(r"\g<head>:***@", url)
    return _QUERY_PASSWORD.sub(r"\g<head>***", url)


def _is_harmless(character: str) -> bool:
    return character in _HARMLESS or unicodedata.category(character) not in _UNSEEN
