"""What is asked of a catalogue, in SQLite and PostgreSQL alike."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from trap_hpc.catalogue import own_tables
from trap_hpc.catalogue.schema import (
    ASSOCXTRSOURCE,
    EXTRACTEDSOURCE,
    FREQUENCYBAND,
    IMAGE,
    NEWSOURCE,
    REJECTION,
    REJECTREASON,
    RUNNINGCATALOG,
    SKYREGION,
    VARMETRIC,
)

_SOURCE = RUNNINGCATALOG.c
_METRIC = VARMETRIC.c
_EXTRA = own_tables.IMAGE_EXTRA
_TYPE = sa.case(
    (NEWSOURCE.c.newsource_type == 1, "likely transient"),
    (NEWSOURCE.c.newsource_type == 0, "possible transient"),
    else_="",
)


def candidates(
    dataset: int, min_v: float | None, min_eta: float | None
) -> sa.Select[Any]:
    """Ask for new sources, and for variable ones if there is a limit."""
    wanted: sa.ColumnElement[bool] = NEWSOURCE.c.id.is_not(None)
    limits = [_METRIC.v_int >= min_v] if min_v is not None else []
    limits += [_METRIC.eta_int >= min_eta] if min_eta is not None else []
    if limits:
        wanted = sa.or_(wanted, sa.and_(*limits))
    chosen = (
        sa.select(_SOURCE.id, NEWSOURCE.c.newsource_type)
        .select_from(_with_metrics())
        .where(_SOURCE.dataset == dataset, wanted)
        .subquery()
    )
    points = _summary(sa.select(chosen.c.id))
    kind = sa.case((_TYPE == "", "variable"), else_=_TYPE)
    new = NEWSOURCE.c.newsource_type
    return (
        sa.select(
            *(_SOURCE.id.label("runcat"), _SOURCE.wm_ra.label("ra")),
            *(_SOURCE.wm_decl.label("decl"), kind.label("type"), new),
            *(points.c.peak_snr, _METRIC.v_int, _METRIC.eta_int),
            *(points.c.images, points.c.detections, points.c.first_seen),
        )
        .select_from(_with_metrics().join(points, points.c.runcat == _SOURCE.id))
        .order_by(
            sa.func.coalesce(new, -1).desc(),
            sa.func.coalesce(points.c.peak_snr, -1).desc(),
            _SOURCE.id,
        )
    )


def _with_metrics() -> sa.Join:
    return RUNNINGCATALOG.outerjoin(
        VARMETRIC, VARMETRIC.c.runcat == RUNNINGCATALOG.c.id
    ).outerjoin(NEWSOURCE, NEWSOURCE.c.runcat == RUNNINGCATALOG.c.id)


def _summary(sources: sa.Select[Any]) -> sa.Subquery:
    """Ask for the light curves of ``sources`` in a few numbers each."""
    point, extraction = ASSOCXTRSOURCE.c, EXTRACTEDSOURCE.c
    detected = extraction.extract_type == 0
    # What a forced fit calls its peak may be a neighbour's.
    peak_snr = sa.func.max(sa.case((detected, extraction.det_sigma)))
    blind = sa.case((detected, 1), else_=0)
    return (
        sa.select(
            point.runcat,
            peak_snr.label("peak_snr"),
            sa.func.count().label("images"),
            sa.func.sum(blind, type_=sa.Integer).label("detections"),
            sa.func.min(IMAGE.c.taustart_ts, type_=sa.DateTime).label("first_seen"),
        )
        .select_from(_points())
        .where(point.runcat.in_(sources))
        .group_by(point.runcat)
        .subquery()
    )


def _points() -> sa.Join:
    return ASSOCXTRSOURCE.join(
        EXTRACTEDSOURCE, EXTRACTEDSOURCE.c.id == ASSOCXTRSOURCE.c.xtrsrc
    ).join(IMAGE, IMAGE.c.id == EXTRACTEDSOURCE.c.image)


def sources(dataset: int) -> sa.Select[Any]:
    """Ask for the running catalogue with what varmetric says of it."""
    return (
        sa.select(
            *(_SOURCE.id.label("runcat"), _SOURCE.wm_ra.label("ra")),
            *(_SOURCE.wm_decl.label("decl"), _SOURCE.wm_uncertainty_ew),
            *(_SOURCE.wm_uncertainty_ns, _SOURCE.datapoints, _SOURCE.forcedfits_count),
            *(_SOURCE.mon_src, _TYPE.label("type"), _METRIC.band),
            *(_METRIC.v_int, _METRIC.eta_int, _METRIC.lightcurve_max),
            *(_METRIC.lightcurve_avg, _METRIC.lightcurve_median),
        )
        .select_from(_with_metrics())
        .where(_SOURCE.dataset == dataset)
        .order_by(_SOURCE.id)
    )


def light_curves(dataset: int, source: int | None) -> sa.Select[Any]:
    """Ask for the points of one source, or of all, in time order."""
    point, extraction = ASSOCXTRSOURCE.c, EXTRACTEDSOURCE.c
    join = _points().join(FREQUENCYBAND, FREQUENCYBAND.c.id == IMAGE.c.band)
    only = [point.runcat == source] if source is not None else []
    return (
        sa.select(
            *(point.runcat, IMAGE.c.taustart_ts, IMAGE.c.tau_time, IMAGE.c.band),
            *(FREQUENCYBAND.c.freq_central, extraction.image, point.xtrsrc),
            *(point.type, extraction.extract_type, extraction.ra, extraction.decl),
            *(extraction.f_int, extraction.f_int_err, extraction.f_peak),
            *(extraction.f_peak_err, extraction.det_sigma, point.r),
            *(point.distance_arcsec, point.v_int, point.eta_int),
        )
        .select_from(join)
        .where(IMAGE.c.dataset == dataset, *only)
        .order_by(point.runcat, IMAGE.c.taustart_ts, IMAGE.c.freq_eff, point.xtrsrc)
    )


def images(dataset: int) -> sa.Select[Any]:
    """Ask for the images and why some were rejected."""
    image, extra = IMAGE.c, _EXTRA.c
    join = (
        IMAGE.outerjoin(_EXTRA, extra.image == image.id)
        .outerjoin(REJECTION, REJECTION.c.image == image.id)
        .outerjoin(REJECTREASON, REJECTREASON.c.id == REJECTION.c.rejectreason)
    )
    return (
        sa.select(
            *(image.id, image.url, image.taustart_ts, extra.mjd.label("taustart_mjd")),
            *(image.tau_time, image.band, image.skyrgn, image.freq_eff, image.freq_bw),
            *(image.rb_smaj, image.rb_smin, image.rb_pa, image.rms_qc, image.rms_min),
            *(image.rms_max, extra.nx, extra.ny, extra.telescope, extra.content),
            REJECTREASON.c.description.label("rejection"),
            REJECTION.c.comment,
        )
        .select_from(join)
        .where(image.dataset == dataset)
        .order_by(image.taustart_ts, image.freq_eff, image.id)
    )


def refusals(dataset: int) -> sa.Select[Any]:
    """Ask for the images that could not be used."""
    refusal = own_tables.REFUSAL.c
    return (
        sa.select(refusal.url, refusal.kind, refusal.reason)
        .where(refusal.dataset == dataset)
        .order_by(refusal.id)
    )


def measured_images(dataset: int, *, with_extra: bool) -> sa.Select[Any]:
    """Ask for all that is known of each image, in the order of time and id.

    Without ``with_extra`` from the tables that TraP itself has.
    """
    image, extra, region = IMAGE.c, _EXTRA.c, SKYREGION.c
    join = IMAGE.join(SKYREGION, region.id == image.skyrgn).outerjoin(
        REJECTION, REJECTION.c.image == image.id
    )
    ours: tuple[sa.ColumnElement[Any], ...] = (
        *(sa.literal("").label("content"), sa.literal("").label("telescope")),
        *(sa.literal(0).label("nx"), sa.literal(0).label("ny")),
        *(region.centre_ra, region.centre_decl),
    )
    if with_extra:
        join = join.join(_EXTRA, extra.image == image.id)
        ours = (extra.content, extra.telescope, extra.nx, extra.ny)
        ours += (extra.centre_ra, extra.centre_decl)
    return (
        sa.select(IMAGE, REJECTION.c.rejectreason, REJECTION.c.comment, *ours)
        .select_from(join)
        .where(image.dataset == dataset)
        .order_by(image.taustart_ts, image.id)
    )
