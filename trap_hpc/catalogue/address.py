"""Database addresses: what may be shown of them, and what may not be in them."""

from __future__ import annotations

import re

_PASSWORD = re.compile(r"(?P<head>//[^:/@?#]*):.*@")
_QUERY_PASSWORD = re.compile(r"(?P<head>[?&]password=)[^&#]*", re.IGNORECASE)


def has_password(url: str) -> bool:
    """Whether a password stands in the URL, where every user of the host sees it."""
    return bool(_PASSWORD.search(url) or _QUERY_PASSWORD.search(url))


def redacted(url: str) -> str:
    """Return the URL with ``***`` for a password: fit for messages and logs."""
    url = _PASSWORD.sub(r"\g<head>:***@", url)
    return _QUERY_PASSWORD.sub(r"\g<head>***", url)


def is_database_url(text: str) -> bool:
    """Whether ``text`` means a PostgreSQL database rather than a file."""
    return text.startswith(("postgresql://", "postgresql+psycopg://", "postgres://"))
