"""What a run found of the sky that was simulated."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trap_hpc.catalogue.reader import open_run
from trap_hpc.pipeline.records import Floats
from trap_hpc.simulate.sky import TrueSource, Truth

LIKELY = "likely transient"


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """An injected source and what the catalogue has within a beam of it."""

    injected: TrueSource
    runcat: int | None = None
    """None: nothing was found there."""
    distance_arcsec: float = math.nan
    type: str = ""
    v_int: float = math.nan
    eta_int: float = math.nan


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """All injected sources, and what is in the catalogue besides."""

    matches: tuple[Match, ...]
    false_alarms: tuple[int, ...]
    """Likely transients of the catalogue where no transient was injected."""

    def of_kind(self, kind: str) -> list[Match]:
        """Return the matches of injected sources of one kind."""
        return [match for match in self.matches if match.injected.kind == kind]

    @property
    def good(self) -> bool:
        """Whether all injected transients, and no others, are likely transients."""
        transients = self.of_kind("transient")
        return not self.false_alarms and all(m.type == LIKELY for m in transients)


def recovery(truth: Truth, run: Path) -> Recovery:
    """Look for every injected source in the catalogue of ``run``.

    Raises
    ------
    UsageError
        There is no finished catalogue.
    """
    with open_run(run) as catalogue:
        found = catalogue.sources()
    ra, decl = np.asarray(found["ra"]), np.asarray(found["decl"])
    matches = []
    for injected in truth.sources:
        apart = _distance_arcsec(ra, decl, injected.ra_deg, injected.decl_deg)
        if not apart.size or apart.min() > 3600 * truth.beam_deg[0]:
            matches.append(Match(injected=injected))
            continue
        row = found[int(apart.argmin())]
        matches.append(
            Match(
                injected=injected,
                runcat=int(row["runcat"]),
                distance_arcsec=float(apart.min()),
                type=str(row["type"]),
                v_int=float(row["v_int"]),
                eta_int=float(row["eta_int"]),
            )
        )
    likely = {int(row["runcat"]) for row in found if row["type"] == LIKELY}
    expected = {m.runcat for m in matches if m.injected.kind == "transient"}
    return Recovery(matches=tuple(matches), false_alarms=tuple(likely - expected))


def _distance_arcsec(
    ra_deg: Floats, decl_deg: Floats, to_ra_deg: float, to_decl_deg: float
) -> Floats:
    """Great-circle distance, by the haversine formula."""
    decl, to_decl = np.radians(decl_deg), math.radians(to_decl_deg)
    across = np.sin(np.radians(ra_deg - to_ra_deg) / 2) ** 2
    along = np.sin((decl - to_decl) / 2) ** 2
    half = np.sqrt(along + np.cos(decl) * math.cos(to_decl) * across)
    distance: Floats = 3600 * np.degrees(2 * np.arcsin(np.minimum(half, 1.0)))
    return distance
