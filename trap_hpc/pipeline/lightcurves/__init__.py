"""Step D: fluxes in time, V and eta, and the fits that are really owed."""

from __future__ import annotations

from trap_hpc.pipeline.lightcurves.curves import LightCurves
from trap_hpc.pipeline.lightcurves.names import Ids
from trap_hpc.pipeline.lightcurves.varmetric import (
    VARMETRIC,
    Varmetric,
    varmetric,
    varmetrics,
)

__all__ = ["VARMETRIC", "Ids", "LightCurves", "Varmetric", "varmetric", "varmetrics"]
