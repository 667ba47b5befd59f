"""TraP's rules for one source at a time, in plain Python: for comparison."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from trap_hpc.pipeline.records import MeasuredImage

Row = dict[str, float]


@dataclass
class Source:
    """A running-catalogue source with its whole history."""

    xtrsrc: int
    first_us: int
    mean: Row
    datapoints: int = 1
    curve: list[Row] = field(default_factory=list)
    fluxes: dict[int, list[Row]] = field(default_factory=dict)
    regions: dict[int, float] = field(default_factory=dict)
    newsource: tuple[int, int, int] | None = None
    monitored: bool = False
    forced_fits: int = 0


@dataclass
class Image:
    """An image with its place in the order of all."""

    number: int
    measured: MeasuredImage
    band: int
    region: int
    good: bool = True
    seen: list[int] = field(default_factory=list)
    requests: list[tuple[Source, float, float]] = field(default_factory=list)


def alpha(theta: float, decl: float) -> float:
    if abs(decl) + theta > 89.9:
        return 180.0
    down, up = math.radians(decl - theta), math.radians(decl + theta)
    across = math.sqrt(abs(math.cos(down) * math.cos(up)))
    return math.degrees(abs(math.atan(math.sin(math.radians(theta)) / across)))


def opposite(ra: float) -> float:
    fifteen_digits = Decimal(f"{ra + 180:.15g}")
    eight_places = fifteen_digits.quantize(Decimal("1e-8"), ROUND_HALF_UP)
    return float(eight_places % 360)


def vector(ra: float, decl: float) -> tuple[float, float, float]:
    ra, decl = math.radians(ra), math.radians(decl)
    return (
        math.cos(decl) * math.cos(ra),
        math.cos(decl) * math.sin(ra),
        math.sin(decl),
    )


def apart(one: Row, other: Row) -> float:
    chord = math.sqrt(sum((one[axis] - other[axis]) ** 2 for axis in "xyz"))
    return math.degrees(2 * math.asin(chord / 2))


def near_zero(ra: float) -> bool:
    return ra < 90 or ra > 270


def de_ruiter(mean: Row, row: Row, *, across: bool) -> float:
    ra, other_ra = mean["ra"], row["ra"]
    if across and near_zero(ra):
        ra, other_ra = opposite(ra), opposite(other_ra)
    decl = mean["decl"] - row["decl"]
    east = (ra - other_ra) * math.cos(math.radians((mean["decl"] + row["decl"]) / 2))
    ew = mean["uncertainty_ew"] ** 2 + row["uncertainty_ew"] ** 2
    ns = mean["uncertainty_ns"] ** 2 + row["uncertainty_ns"] ** 2
    return math.sqrt(east**2 / ew + decl**2 / ns)


def without_many_to_many(
    pairs: list[tuple[Source, Row, float]],
) -> list[tuple[Source, Row, float]]:
    of_row = Counter(id(row) for _, row, _ in pairs)
    of_source = Counter(id(source) for source, _, _ in pairs)
    touched = {id(source) for source, row, _ in pairs if of_row[id(row)] > 1}
    entangled = {source for source in touched if of_source[source] > 1}
    kept = []
    for source, row, r in pairs:
        rivals = [
            other_r
            for other, other_row, other_r in pairs
            if other_row is row and id(other) in entangled
        ]
        contested = of_row[id(row)] > 1 and id(source) in entangled
        if not contested or r <= min(rivals):
            kept.append((source, row, r))
    return kept


def first_mean(row: Row) -> Row:
    return {
        **{name: row[name] for name in ("ra", "decl", "ra_err", "decl_err", *"xyz")},
        "uncertainty_ew": row["uncertainty_ew"],
        "uncertainty_ns": row["uncertainty_ns"],
        "weight_ra": row["uncertainty_ew"] ** -2,
        "weight_decl": row["uncertainty_ns"] ** -2,
    }


def averaged(source: Source, row: Row, *, across: bool) -> Row:
    """Return the mean place after one more point, of weight 1 / error^2."""
    n, mean = source.datapoints, source.mean
    ew, ns = row["uncertainty_ew"] ** -2, row["uncertainty_ns"] ** -2
    total_ew, total_ns = n * mean["weight_ra"] + ew, n * mean["weight_decl"] + ns
    ra, other_ra = mean["ra"], row["ra"]
    if across and near_zero(ra):
        ra, other_ra = opposite(ra), opposite(other_ra)
    ra = (n * mean["weight_ra"] * ra + ew * other_ra) / total_ew
    if across and near_zero(mean["ra"]):
        ra = (ra + 180) % 360
    decl = (n * mean["weight_decl"] * mean["decl"] + ns * row["decl"]) / total_ns
    return {
        "ra": ra,
        "decl": decl,
        "ra_err": (n * mean["ra_err"] + row["ra_err"]) / (n + 1),
        "decl_err": (n * mean["decl_err"] + row["decl_err"]) / (n + 1),
        "uncertainty_ew": math.sqrt(1 / total_ew),
        "uncertainty_ns": math.sqrt(1 / total_ns),
        "weight_ra": total_ew / (n + 1),
        "weight_decl": total_ns / (n + 1),
        **dict(zip("xyz", vector(ra, decl), strict=True)),
    }


def flux_means(points: list[Row], name: str) -> Row:
    """Return the means of f, f^2, w, w f and w f^2 with w = 1 / error^2."""
    f = [point[name] for point in points]
    w = [point[f"{name}_err"] ** -2 for point in points]
    n = len(points)
    return {
        f"avg_{name}": sum(f) / n,
        f"avg_{name}_sq": sum(a * a for a in f) / n,
        f"avg_{name}_weight": sum(w) / n,
        f"avg_weighted_{name}": sum(a * b for a, b in zip(f, w, strict=True)) / n,
        f"avg_weighted_{name}_sq": sum(a * a * b for a, b in zip(f, w, strict=True))
        / n,
    }


def v_and_eta(points: list[Row]) -> tuple[float, float]:
    """Return deviation over mean, and reduced chi^2 about the weighted mean."""
    n = len(points)
    if n == 1:
        return 0.0, 0.0
    f = [point["f_int"] for point in points]
    w = [point["f_int_err"] ** -2 for point in points]
    mean = sum(f) / n
    weighted_mean = sum(a * b for a, b in zip(f, w, strict=True)) / sum(w)
    variance = sum((a - mean) ** 2 for a in f) / n
    spread = math.sqrt(variance * n / (n - 1)) if variance >= 8e-14 else 0.0
    chi_square = sum(b * (a - weighted_mean) ** 2 for a, b in zip(f, w, strict=True))
    return spread / mean, chi_square / (n - 1)


def add_point(
    source: Source, image: Image, row: Row, kind: int, r: float, distance: float
) -> None:
    """Add a row to the light curve, with V and eta of all fluxes of its band so far."""
    fluxes = source.fluxes.setdefault(image.band, [])
    fluxes.append(row)
    image.seen.append(id(source))
    v, eta = v_and_eta(fluxes)
    source.curve.append(
        {
            "xtrsrc": row["id"],
            "type": kind,
            "r": r,
            "distance_arcsec": distance,
            "v_int": v,
            "eta_int": eta,
            "f_datapoints": len(fluxes),
            "f_int": row["f_int"],
            "band": image.band,
            "time": image.measured.header.taustart_us,
        }
    )
