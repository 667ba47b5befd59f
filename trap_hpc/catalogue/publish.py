"""Copying a finished catalogue into a PostgreSQL database that runs share.

A run becomes one more data set. Its ids are moved up behind those that are there;
everything happens in one transaction, so the others never see half a run.
"""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from trap_hpc.catalogue import own_tables, schema
from trap_hpc.catalogue.columns import Column
from trap_hpc.catalogue.database import (
    plain_errors,
    postgresql_engine,
    raw_rows,
    scalar,
)
from trap_hpc.catalogue.tables import check_revision, make_shared_tables

# Any number will do that other programs on the same database hardly use.
_ONE_RUN_AT_A_TIME = "SELECT pg_advisory_xact_lock(7240040)"

# References have to be there first. extractedsource and runningcatalog refer to each
# other: forced fits, which name their source, come after the sources, and monitored
# positions learn theirs last.
_NO_SOURCE_YET = {"monitor": ("runcat",)}
_PARTS = (
    (schema.DATASET, ""),
    (schema.CONFIG, ""),
    (schema.FREQUENCYBAND, ""),
    (schema.SKYREGION, ""),
    (schema.IMAGE, ""),
    (schema.REJECTION, ""),
    (schema.MONITOR, ""),
    (schema.EXTRACTEDSOURCE, "WHERE ff_runcat IS NULL"),
    (schema.RUNNINGCATALOG, ""),
    (schema.EXTRACTEDSOURCE, "WHERE ff_runcat IS NOT NULL"),
    (schema.RUNNINGCATALOG_FLUX, ""),
    (schema.ASSOCXTRSOURCE, ""),
    (schema.ASSOCSKYRGN, ""),
    (schema.NEWSOURCE, ""),
    (schema.VARMETRIC, ""),
    (own_tables.INFO, ""),
    (own_tables.REFUSAL, ""),
    (own_tables.IMAGE_EXTRA, ""),
)
_NUMBERED = {table.name: table for table, _ in _PARTS}


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
    """Copy the catalogue of a run as one more data set.

    The same run twice is one data set; a run that was done again replaces what it
    published before.

    Parameters
    ----------
    source
        A finished catalogue in SQLite.
    url
        ``postgresql://user@host:port/database``; missing tables are made.

    Returns
    -------
    int
        The id of the data set.

    Raises
    ------
    CatalogueError
        If the database can't be used; nothing of the run is in it then.
    """
    engine = postgresql_engine(url)
    with plain_errors(url), engine.begin() as target:
        target.exec_driver_sql(_ONE_RUN_AT_A_TIME)
        check_revision(target, url)
        make_shared_tables(target)
        return _known(source, target) or _copy(source, target)


def _known(source: sa.Connection, target: sa.Connection) -> int | None:
    """Return the data set that this run is already, if so; forget an older version."""
    info = own_tables.INFO.c
    ours = source.execute(sa.select(own_tables.INFO)).one()
    source.rollback()
    query = sa.select(info.dataset, info.created).where(info.run_id == ours.run_id)
    for there in target.execute(query).all():
        if there.created == ours.created:
            return int(there.dataset)
        _forget(target, there.dataset)
    return None


def _copy(source: sa.Connection, target: sa.Connection) -> int:
    offsets = {name: _reserve(source, target, name) for name in _NUMBERED}
    for table, where in _PARTS:
        _copy_table(source, target, table, where, offsets)
    moved = f"{offsets['monitor']} + id, {offsets['runningcatalog']} + runcat"
    known = f"SELECT {moved} FROM monitor WHERE runcat IS NOT NULL"
    for rows in raw_rows(source, known):
        for monitor, runcat in rows:
            here = schema.MONITOR.c.id == monitor
            target.execute(schema.MONITOR.update().where(here), {"runcat": runcat})
    return offsets["dataset"] + 1


def _reserve(source: sa.Connection, target: sa.Connection, table: str) -> int:
    """Reserve ids for all rows of a table; return by how much ours move up.

    Through the sequence that TraP draws its ids from, so that a TraP that writes at
    the same time keeps clear of them.
    """
    needed = scalar(source, f"SELECT COALESCE(MAX(id), 0) FROM {table}")
    default = scalar(
        target,
        "SELECT column_default FROM information_schema.columns "
        f"WHERE table_schema = current_schema() AND table_name = '{table}' "
        "AND column_name = 'id'",
    )
    sequence = default.split("'")[1]
    used = scalar(
        target,
        "SELECT GREATEST(last_value - CASE WHEN is_called THEN 0 ELSE 1 END, "
        f"(SELECT COALESCE(MAX(id), 0) FROM {table})) FROM {sequence}",
    )
    if needed:
        scalar(target, f"SELECT setval('{sequence}', {used + needed})")
    return int(used)


def _copy_table(
    source: sa.Connection,
    target: sa.Connection,
    table: sa.Table,
    where: str,
    offsets: dict[str, int],
) -> None:
    """Send the rows of a table, with all ids moved up."""
    columns = [
        column
        for column in table.columns
        if column.name not in _NO_SOURCE_YET.get(table.name, ())
    ]
    may_be_null = _may_be_null(target, table.name)
    values = ", ".join(
        _value(column, offsets, null=may_be_null(column.name)) for column in columns
    )
    names = ", ".join(column.name for column in columns)
    statement = f"COPY {table.name} ({names}) FROM STDIN"
    cursor = target.connection.cursor()
    query = f"SELECT {values} FROM {table.name} {where} ORDER BY id"
    with cursor.copy(statement) as copy:
        for rows in raw_rows(source, query):
            for row in rows:
                copy.write_row(row)


def _value(column: Column, offsets: dict[str, int], *, null: bool) -> str:
    """Return what to ask of SQLite for a column of PostgreSQL."""
    refers = column.info.get("refers")
    for key in column.foreign_keys:
        refers = key.column.table.name
    if column.primary_key:
        refers = column.table.name
    if refers in offsets:
        return f"{column.name} + {offsets[refers]}"
    # TraP's own tables take NaN, but no NULL, where an undefined number is unusual.
    return column.name if null else f"COALESCE({column.name}, 'NaN')"


def _may_be_null(target: sa.Connection, table: str) -> Callable[[str], bool]:
    found = sa.inspect(target).get_columns(table)
    nullable = {column["name"] for column in found if column["nullable"]}
    return lambda name: name in nullable


def _forget(target: sa.Connection, dataset: int) -> None:
    """Delete a data set."""
    mine = f"(SELECT id FROM image WHERE dataset = {dataset})"
    runcats = f"(SELECT id FROM runningcatalog WHERE dataset = {dataset})"
    for statement in (
        f"UPDATE extractedsource SET ff_runcat = NULL, ff_monitor = NULL "
        f"WHERE image IN {mine}",
        *(f"DELETE FROM {table} WHERE runcat IN {runcats}" for table in _OF_A_SOURCE),
        f"DELETE FROM monitor WHERE dataset = {dataset}",
        f"DELETE FROM runningcatalog WHERE dataset = {dataset}",
        *(f"DELETE FROM {table} WHERE image IN {mine}" for table in _OF_AN_IMAGE),
        *(f"DELETE FROM {table} WHERE dataset = {dataset}" for table in _OF_A_DATASET),
        f"DELETE FROM dataset WHERE id = {dataset}",
    ):
        target.exec_driver_sql(statement)


_OF_A_SOURCE = (
    *("assocxtrsource", "assocskyrgn", "varmetric", "newsource"),
    "runningcatalog_flux",
)
_OF_AN_IMAGE = ("rejection", "extractedsource", "imagedata", "trap_hpc_image_extra")
_OF_A_DATASET = (
    *("image", "skyregion", "frequencyband", "config"),
    *("trap_hpc_info", "trap_hpc_refusal"),
)
