"""TraP's tables, revision 40.

Names, columns and types are those that TraP r6.0 makes in PostgreSQL, so that what
people wrote for TraP's database works on ours, SQLite included. A number that is
undefined (NaN) is NULL; rms_qc, det_sigma, v_int and eta_int, which TraP declares
NOT NULL, may be NULL here for that reason.
"""

from __future__ import annotations

import sqlalchemy as sa

from trap_hpc.catalogue.columns import flag, floats, key, many, nodes, small, table, to

REVISION = 40

_FLUX_AVERAGES = " ".join(
    name.format(flux)
    for flux in ("f_peak", "f_int")
    for name in (
        "avg_{}",
        "avg_{}_sq",
        "avg_{}_weight",
        "avg_weighted_{}",
        "avg_weighted_{}_sq",
    )
)
_POSITION_AVERAGES = (
    "wm_ra wm_decl wm_uncertainty_ew wm_uncertainty_ns avg_ra_err avg_decl_err "
    "avg_wra avg_wdecl avg_weight_ra avg_weight_decl x y z"
)

VERSION = table(
    "version",
    sa.Column("name", sa.String(12), primary_key=True),
    sa.Column("value", sa.Integer, nullable=False),
)
DATASET = table(
    "dataset",
    key("seq_dataset"),
    sa.Column("rerun", sa.Integer, nullable=False, server_default=sa.text("0")),
    small("type"),
    sa.Column("process_start_ts", sa.DateTime, nullable=False),
    sa.Column("process_end_ts", sa.DateTime),
    floats("detection_threshold analysis_threshold assoc_radius", null=True),
    many(sa.SmallInteger(), "backsize_x backsize_y", null=True),
    floats("margin_width", null=True),
    sa.Column("description", sa.String(100), nullable=False),
    nodes(),
)
CONFIG = table(
    "config",
    key(),
    to("dataset"),
    many(sa.String(100), "section key", null=True),
    sa.Column("value", sa.String(500)),
    sa.Column("type", sa.String(5)),
)
NODE = table(
    "node",
    key(),
    small("node"),
    sa.Column("zone", sa.SmallInteger, nullable=False),
    many(sa.SmallInteger(), "zone_min zone_max", null=True),
    sa.Column("zone_min_incl", sa.Boolean, server_default=sa.true()),
    sa.Column("zone_max_incl", sa.Boolean, server_default=sa.false()),
    sa.Column("zoneheight", sa.Double, server_default=sa.text("1.0")),
    small("nodes"),
)
REJECTREASON = table(
    "rejectreason", key(), sa.Column("description", sa.String(512), nullable=True)
)
FREQUENCYBAND = table(
    "frequencyband",
    key("seq_frequencyband"),
    to("dataset"),
    floats("freq_central freq_low freq_high", null=True),
)
SKYREGION = table(
    "skyregion",
    key("seq_skyregion"),
    to("dataset"),
    floats("centre_ra centre_decl xtr_radius x y z"),
)
IMAGE = table(
    "image",
    key("seq_image"),
    to("dataset"),
    to("frequencyband", "band"),
    to("skyregion", "skyrgn"),
    sa.Column("tau", sa.Integer),
    small("stokes"),
    floats("tau_time", null=True),
    floats("freq_eff"),
    floats("freq_bw", null=True),
    sa.Column("taustart_ts", sa.DateTime, nullable=False),
    floats("rb_smaj rb_smin rb_pa deltax deltay"),
    floats("fwhm_arcsec fov_degrees rms_qc rms_min rms_max", null=True),
    floats("detection_thresh analysis_thresh", null=True),
    sa.Column("url", sa.String(1024)),
    nodes(),
)
IMAGEDATA = table(
    "imagedata",
    key(),
    to("image"),
    sa.Column("fits_header", sa.String),
    sa.Column("fits_data", sa.LargeBinary),
)
REJECTION = table(
    "rejection",
    key(),
    to("image", null=True),
    to("rejectreason", null=True),
    sa.Column("comment", sa.String(512)),
)
EXTRACTEDSOURCE = table(
    "extractedsource",
    key(),
    to("image"),
    to("runningcatalog", "ff_runcat", null=True),
    to("monitor", "ff_monitor", null=True),
    sa.Column("zone", sa.Integer, nullable=False),
    floats("ra decl uncertainty_ew uncertainty_ns ra_err decl_err"),
    floats("ra_fit_err decl_fit_err ew_sys_err ns_sys_err error_radius"),
    floats("x y z racosdecl"),
    flag("margin"),
    floats("det_sigma semimajor semiminor pa", null=True),
    floats("f_peak f_peak_err f_int f_int_err chisq reduced_chisq", null=True),
    many(sa.SmallInteger(), "extract_type fit_type", null=True),
    nodes(),
)
RUNNINGCATALOG = table(
    "runningcatalog",
    key(),
    sa.Column(
        "xtrsrc",
        sa.Integer,
        sa.ForeignKey("extractedsource.id"),
        nullable=False,
        unique=True,
    ),
    to("dataset"),
    many(sa.Integer(), "datapoints zone"),
    floats(_POSITION_AVERAGES),
    flag("inactive"),
    flag("mon_src"),
    sa.Column("forcedfits_count", sa.Integer, server_default=sa.text("0")),
)
RUNNINGCATALOG_FLUX = table(
    "runningcatalog_flux",
    key(),
    to("runningcatalog", "runcat"),
    to("frequencyband", "band"),
    small("stokes"),
    sa.Column("f_datapoints", sa.Integer, nullable=False),
    floats(_FLUX_AVERAGES, null=True),
)
ASSOCXTRSOURCE = table(
    "assocxtrsource",
    key(),
    to("runningcatalog", "runcat"),
    to("extractedsource", "xtrsrc", null=True),
    sa.Column("type", sa.SmallInteger, nullable=False),
    floats("distance_arcsec r loglr v_int eta_int", null=True),
    sa.Column("f_datapoints", sa.Integer, nullable=False),
)
ASSOCSKYRGN = table(
    "assocskyrgn",
    key(),
    to("runningcatalog", "runcat"),
    to("skyregion", "skyrgn"),
    floats("distance_deg", null=True),
)
NEWSOURCE = table(
    "newsource",
    key(),
    to("runningcatalog", "runcat"),
    to("extractedsource", "trigger_xtrsrc"),
    to("image", "previous_limits_image"),
    sa.Column("newsource_type", sa.SmallInteger, nullable=False),
)
MONITOR = table(
    "monitor",
    key(),
    to("dataset"),
    to("runningcatalog", "runcat", null=True),
    floats("ra decl"),
    sa.Column("name", sa.String(100)),
)
VARMETRIC = table(
    "varmetric",
    key(),
    to("runningcatalog", "runcat"),
    floats("v_int eta_int", null=True),
    to("frequencyband", "band"),
    # TraP declares no reference here, though it is one: publish needs to know.
    sa.Column("newsource", sa.Integer, info={"refers": "newsource"}),
    floats("sigma_rms_max sigma_rms_min", null=True),
    floats("lightcurve_max lightcurve_avg lightcurve_median", null=True),
)
TEMPRUNNINGCATALOG = table(
    "temprunningcatalog",  # TraP's scratch table: always empty here
    key(),
    to("runningcatalog", "runcat"),
    to("extractedsource", "xtrsrc"),
    to("dataset"),
    to("frequencyband", "band"),
    floats("distance_arcsec r"),
    small("stokes"),
    many(sa.Integer(), "datapoints zone"),
    floats(_POSITION_AVERAGES),
    flag("margin"),
    flag("inactive"),
    floats("beam_semimaj beam_semimin beam_pa", null=True),
    sa.Column("f_datapoints", sa.Integer),
    floats(_FLUX_AVERAGES, null=True),
)
