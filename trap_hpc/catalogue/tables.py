"""Making the tables and indexes, and knowing TraP's revision."""

from __future__ import annotations

import sqlalchemy as sa

from trap_hpc.catalogue import schema
from trap_hpc.catalogue.address import redacted
from trap_hpc.catalogue.columns import METADATA
from trap_hpc.catalogue.database import scalar
from trap_hpc.catalogue.schema import REVISION
from trap_hpc.errors import CatalogueError
from trap_hpc.pipeline.quality import REASONS

_POSITIONS = {
    "extractedsource": "ra decl ra_err decl_err x y z",
    "runningcatalog": "zone wm_ra wm_decl wm_uncertainty_ew wm_uncertainty_ns x y z",
    "varmetric": "v_int sigma_rms_max sigma_rms_min lightcurve_max lightcurve_avg "
    "lightcurve_median",
}
_UNIQUE = {
    "assocxtrsource_runcat_xtrsrc_key": "assocxtrsource (runcat, xtrsrc)",
    "config_dataset_section_key_key": "config (dataset, section, key)",
    "node_node_zone_key": "node (node, zone)",
    "runningcatalog_flux_runcat_band_stokes_key": "runningcatalog_flux "
    "(runcat, band, stokes)",
    "ix_varmetric_runcat": "varmetric (runcat)",
}
_REFERENCES = {
    "assocskyrgn": "runcat skyrgn",
    "assocxtrsource": "xtrsrc",
    "extractedsource": "image",
    "frequencyband": "dataset",
    "image": "dataset band skyrgn taustart_ts",
    "imagedata": "image",
    "monitor": "dataset",
    "newsource": "runcat trigger_xtrsrc",
    "rejection": "image rejectreason",
    "runningcatalog": "dataset",
    "runningcatalog_flux": "band",
    "skyregion": "dataset",
    "varmetric": "band",
    "trap_hpc_image_extra": "image",
    "trap_hpc_refusal": "dataset",
}


def make_tables(connection: sa.Connection) -> None:
    """Make what is missing: tables, revision, reasons for rejections."""
    METADATA.create_all(connection)
    if connection.execute(sa.select(schema.VERSION)).first() is None:
        connection.execute(
            schema.VERSION.insert(), {"name": "revision", "value": REVISION}
        )
    known = set(connection.execute(sa.select(schema.REJECTREASON.c.id)).scalars())
    missing = [
        {"id": i, "description": t} for i, t in REASONS.items() if i not in known
    ]
    if missing:
        connection.execute(schema.REJECTREASON.insert(), missing)


def make_shared_tables(connection: sa.Connection) -> None:
    """Make the tables of a database that many runs share, with all of TraP's indexes.

    One that TraP itself has made is taken as it is; our own tables are added.
    """
    known = sa.inspect(connection).has_table(schema.VERSION.name)
    make_tables(connection)
    if known:
        return  # indexes and defaults are for the tables' owner, who need not be we
    for name in ("dataset", "frequencyband", "image", "skyregion"):
        connection.exec_driver_sql(
            f"ALTER TABLE {name} ALTER COLUMN id SET DEFAULT nextval('seq_{name}')"
        )
    index_references(connection)
    _plain(connection, _POSITIONS)


def check_revision(connection: sa.Connection, place: str) -> None:
    """Refuse a database whose tables are not those of revision 40.

    Raises
    ------
    CatalogueError
        If the revision is another one, or the tables are somebody else's.
    """
    names = set(sa.inspect(connection).get_table_names())
    if "version" not in names:
        if names & set(METADATA.tables):
            raise CatalogueError(
                f"{redacted(place)} holds tables that are no catalogue of TraP's; "
                "name an empty database"
            )
        return
    found = scalar(connection, "SELECT value FROM version WHERE name = 'revision'")
    if found != REVISION:
        raise CatalogueError(
            f"{redacted(place)} is of TraP's revision {found}, this is written for "
            f"{REVISION}; name another database"
        )


def index_light_curves(connection: sa.Connection) -> None:
    """Make the index by which a source's points are found."""
    _unique(connection, "assocxtrsource_runcat_xtrsrc_key")


def index_references(connection: sa.Connection) -> None:
    """Make TraP's indexes on what is joined."""
    for name in _UNIQUE:
        _unique(connection, name)
    _plain(connection, _REFERENCES)


def _unique(connection: sa.Connection, name: str) -> None:
    connection.exec_driver_sql(
        f"CREATE UNIQUE INDEX IF NOT EXISTS {name} ON {_UNIQUE[name]}"
    )


def _plain(connection: sa.Connection, indexes: dict[str, str]) -> None:
    for table, columns in indexes.items():
        for column in columns.split():
            connection.exec_driver_sql(
                f"CREATE INDEX IF NOT EXISTS ix_{table}_{column} ON {table} ({column})"
            )
