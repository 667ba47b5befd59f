"""Tables of our own beside TraP's: what TraP's can't hold."""

from __future__ import annotations

import sqlalchemy as sa

from trap_hpc.catalogue.columns import flag, floats, many, table, to

SCHEMA_VERSION = 1
"""Of these tables and of lightcurves.h5."""

INFO = table(
    "trap_hpc_info",
    sa.Column("id", sa.Integer, primary_key=True),
    to("dataset"),
    sa.Column("schema_version", sa.Integer, nullable=False),
    sa.Column("run_id", sa.String(64), nullable=False),
    sa.Column("trap_hpc_version", sa.String(32), nullable=False),
    sa.Column("created", sa.DateTime, nullable=False),
    flag("finished"),
    sa.Column("steps_done", sa.Integer, nullable=False),
    # Where the last checkpoint stands: a replay must come by here.
    sa.Column("last_taustart_us", sa.BigInteger),
    sa.Column("last_xtrsrc", sa.BigInteger),
)
REFUSAL = table(
    "trap_hpc_refusal",
    sa.Column("id", sa.Integer, primary_key=True),
    to("dataset"),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
)
IMAGE_EXTRA = table(
    "trap_hpc_image_extra",
    sa.Column("id", sa.Integer, primary_key=True),
    to("image"),
    sa.Column("content", sa.String(128), nullable=False),
    sa.Column("taustart_us", sa.BigInteger, nullable=False),
    floats("mjd"),
    many(sa.Integer(), "plane nx ny"),
    floats("centre_ra centre_decl"),
    sa.Column("telescope", sa.String(64), nullable=False),
)
