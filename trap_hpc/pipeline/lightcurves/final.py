"""The tables that are known once the last time step is in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from trap_hpc.pipeline.associate.steps import Sources
from trap_hpc.pipeline.lightcurves.fluxes import FluxAverages
from trap_hpc.pipeline.lightcurves.monitoring import Monitoring
from trap_hpc.pipeline.lightcurves.names import Names
from trap_hpc.pipeline.records import SPLIT, FinalTables, Integers, Rows, concatenated


def final_tables(
    sources: Sources,
    names: Names,
    forced_fits: Integers,
    fluxes: FluxAverages,
    monitoring: Monitoring,
    splits: Sequence[Rows],
) -> FinalTables:
    """Return all of them, with ids for numbers and without replaced sources.

    ``forced_fits`` is by source.
    """
    ids = np.where(sources.alive, names.runcat.values, 0)
    runcat = _runcat_rows(sources, ids, names.xtrsrc.values, forced_fits)
    flux = [fluxes.rows(ids), monitoring.flux_rows()]
    return FinalTables(
        skyregion=sources.skyregion,
        frequencyband=sources.frequencyband,
        runningcatalog=_sorted([runcat, monitoring.runcat_rows()], "id"),
        runningcatalog_flux=_numbered(_sorted(flux, "runcat", "band")),
        newsource=_newsource_rows(sources, names),
        assocskyrgn=_link_rows(sources, names, monitoring),
        monitor=monitoring.monitor_rows(),
        splits=concatenated(splits, SPLIT),
    )


def _runcat_rows(
    sources: Sources, ids: Integers, xtrsrc: Integers, forced_fits: Integers
) -> Rows:
    rows = sources.runcat.copy()
    rows["id"], rows["xtrsrc"], rows["forcedfits_count"] = ids, xtrsrc, forced_fits
    alive: Rows = rows[sources.alive]
    return alive


def _newsource_rows(sources: Sources, names: Names) -> Rows:
    rows = sources.newsource.copy()
    rows["trigger_xtrsrc"] = names.xtrsrc.values[rows["trigger_xtrsrc"]]
    image = names.image.values[rows["previous_limits_image"]]
    rows["previous_limits_image"] = image
    rows["runcat"] = names.runcat.values[rows["runcat"]]
    return _numbered(_sorted([rows], "runcat"))


def _link_rows(sources: Sources, names: Names, monitoring: Monitoring) -> Rows:
    rows = sources.assocskyrgn.copy()
    rows["runcat"] = names.runcat.values[rows["runcat"]]
    return _numbered(_sorted([rows, monitoring.links(sources)], "runcat", "skyrgn"))


def _sorted(parts: Sequence[Rows], *columns: str) -> Rows:
    rows = np.concatenate(parts)
    ordered: Rows = rows[np.lexsort([rows[name] for name in reversed(columns)])]
    return ordered


def _numbered(rows: Rows) -> Rows:
    rows["id"] = np.arange(1, len(rows) + 1)
    return rows
