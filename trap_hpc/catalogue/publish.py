"""Copying a finished catalogue into a PostgreSQL database that runs share."""

from __future__ import annotations

import sqlalchemy as sa

from trap_hpc.catalogue.database import plain_errors, postgresql_engine
from trap_hpc.catalogue.tables import check_revision


def check_database(url: str) -> None:
    """Ask the database whether `publish` would work, before a run spends its time.

    Raises
    ------
    CatalogueError
        If it can't be reached, or is no TraP database of revision 40.
    """
    engine = postgresql_engine(url)
    with plain_errors(url), engine.connect() as connection:
        check_revision(connection, url)


def publish(source: sa.Connection, url: str) -> int:
    """Copy the catalogue as one more data set; returns that data set's id."""
    raise NotImplementedError
