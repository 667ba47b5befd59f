"""Database addresses: what they look like, and what may be shown of them."""

from __future__ import annotations

from trap_hpc.plaintext import has_password, redacted

__all__ = ["has_password", "is_database_url", "redacted"]


def is_database_url(text: str) -> bool:
    """Whether ``text`` means a PostgreSQL database rather than a file."""
    return text.startswith(("postgresql://", "postgresql+psycopg://", "postgres://"))
