"""TraP's association and light curves, one source at a time: slow and plain.

Written from the rules alone, to be compared with the package on skies full of cases.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence

from tests.plain_rules import (
    Image,
    Row,
    Source,
    add_point,
    alpha,
    apart,
    averaged,
    de_ruiter,
    first_mean,
    vector,
    without_many_to_many,
)
from trap_hpc.config.parameters import JobParameters
from trap_hpc.pipeline.records import MeasuredImage

Fit = Callable[[MeasuredImage, float, float], "Row | None"]
"""What a forced fit gives in an image at a position, or None if it fails."""


class PlainTrap:
    """Takes time steps in order; ``tables`` gives what TraP's database would hold."""

    def __init__(
        self,
        parameters: JobParameters,
        monitor: Sequence[tuple[float, float]],
        fit: Fit,
    ) -> None:
        self.parameters, self.monitor, self.fit = parameters, monitor, fit
        self.sources: list[Source] = []
        self.images: list[Image] = []
        self.bands: list[tuple[float, float]] = []
        self.regions: dict[tuple[float, float, float], int] = {}
        self.monitors: list[Source | None] = [None] * len(monitor)
        self.extractions = 0

    def step(self, measured: Sequence[MeasuredImage]) -> None:
        images = [self.placed(image) for image in measured]
        for image in images:
            image.good = image.measured.rejection is None and self.usual(image)
        blind = [self.blind_rows(image) for image in images]
        for image, rows in zip(images, blind, strict=True):
            if image.good:
                self.associate(image, rows)
                image.requests = self.null_detections(image)
        for image in images:
            if image.good:
                self.force(image)

    def placed(self, measured: MeasuredImage) -> Image:
        header, extraction = measured.header, self.parameters.source_extraction
        radius = extraction.extraction_radius_pix * abs(header.deltax_deg)
        key = (header.centre_ra_deg % 360, header.centre_decl_deg, radius)
        if key not in self.regions:
            self.regions[key] = len(self.regions) + 1
            for source in self.sources:
                distance = self.distance(source, key)
                if distance < radius and abs(source.mean["decl"] - key[1]) <= radius:
                    source.regions[self.regions[key]] = distance
        band = self.band(header.freq_eff_hz, header.freq_bw_hz)
        image = Image(len(self.images), measured, band, self.regions[key])
        self.images.append(image)
        return image

    @staticmethod
    def distance(source: Source, key: tuple[float, float, float]) -> float:
        centre = dict(zip("xyz", vector(key[0], key[1]), strict=True))
        return apart(source.mean, centre)

    def band(self, central: float, width: float) -> int:
        width = self.parameters.persistence.bandwidth_max or width
        low, high = central - width / 2, central + width / 2
        for number, (other_low, other_high) in enumerate(self.bands, start=1):
            joint = max(high, other_high) - min(low, other_low)
            if joint < (high - low) + (other_high - other_low):
                return number
        self.bands.append((low, high))
        return len(self.bands)

    def usual(self, image: Image) -> bool:
        quality = self.parameters.quality
        noise = [i.measured.rms_qc for i in self.images if i.band == image.band]
        latest = noise[-quality.rms_est_history :]
        if len(latest) < quality.rms_est_history:
            return True
        mean = sum(latest) / len(latest)
        sigma = math.sqrt(sum((rms - mean) ** 2 for rms in latest) / len(latest))
        return abs(image.measured.rms_qc - mean) < quality.rms_rej_sigma * sigma

    def blind_rows(self, image: Image) -> list[Row]:
        rows = image.measured.blind if image.good else image.measured.blind[:0]
        names = rows.dtype.names or ()
        return [
            self.named({name: float(row[name]) for name in names}, image)
            for row in rows
        ]

    def named(self, row: Row, image: Image) -> Row:
        self.extractions += 1
        time = image.measured.header.taustart_us
        return {**row, "id": self.extractions, "time": time}

    # Association ----------------------------------------------------------------

    def associate(self, image: Image, rows: list[Row]) -> None:
        pairs = self.pairs(image, rows)
        active = without_many_to_many(pairs)
        counts = Counter(id(source) for source, _, _ in active)
        paired = [id(row) for _, row, _ in pairs]
        for source, row, r in active:
            if counts[id(source)] > 1:
                self.split_off(image, source, row, r)
        for source, row, r in active:
            if counts[id(source)] == 1:
                self.match(image, source, row, r)
        gone = {key for key, count in counts.items() if count > 1}
        self.sources = [s for s in self.sources if id(s) not in gone]
        for row in rows:
            if id(row) not in paired:
                self.found(image, row)

    def pairs(self, image: Image, rows: list[Row]) -> list[tuple[Source, Row, float]]:
        header, association = image.measured.header, self.parameters.association
        limit = association.beamwidths_limit * header.rb_smaj_deg
        across = self.across(image)
        pairs = []
        for source in self.sources:
            for row in rows:
                mean = source.mean
                if source.monitored or apart(mean, row) >= limit:
                    continue
                far = abs(mean["ra"] - row["ra"]) > alpha(limit, row["decl"])
                if far and not across:
                    continue
                r = de_ruiter(mean, row, across=across)
                if r < association.deruiter_radius:
                    pairs.append((source, row, r))
        return pairs

    def across(self, image: Image) -> bool:
        key = next(k for k, region in self.regions.items() if region == image.region)
        half = alpha(key[2], key[1])
        return key[0] - half < 0 or key[0] + half > 360

    def split_off(self, image: Image, parent: Source, row: Row, r: float) -> None:
        child = Source(
            xtrsrc=int(row["id"]),
            first_us=image.measured.header.taustart_us,
            mean=averaged(parent, row, across=self.across(image)),
            datapoints=parent.datapoints + 1,
            curve=[{**point, "type": 6} for point in parent.curve],
            fluxes={image.band: list(parent.fluxes.get(image.band, []))},
            regions=dict(parent.regions),
            newsource=parent.newsource,
        )
        add_point(child, image, row, 2, r, apart(parent.mean, row) * 3600)
        self.sources.append(child)

    def match(self, image: Image, source: Source, row: Row, r: float) -> None:
        add_point(source, image, row, 3, r, apart(source.mean, row) * 3600)
        source.mean = averaged(source, row, across=self.across(image))
        source.datapoints += 1
        source.forced_fits = 0

    def found(self, image: Image, row: Row) -> None:
        source = Source(int(row["id"]), int(row["time"]), first_mean(row))
        add_point(source, image, row, 4, 0.0, 0.0)
        source.regions = {image.region: math.nan}
        for key, region in self.regions.items():
            if region != image.region and self.distance(source, key) < key[2]:
                source.regions[region] = self.distance(source, key)
        source.newsource = self.newsource(image, source, row)
        self.sources.append(source)

    def newsource(
        self, image: Image, source: Source, row: Row
    ) -> tuple[int, int, int] | None:
        extraction, search = (
            self.parameters.source_extraction,
            self.parameters.transient_search,
        )
        margin = extraction.detection_threshold + search.new_source_sigma_margin
        time = image.measured.header.taustart_us
        earlier = [
            (i.measured.rms_min * margin, i.measured.rms_max * margin, i.number)
            for i in self.images
            if i.good and i.band == image.band and i.region in source.regions
            if i.measured.header.taustart_us < time
        ]
        if not earlier or row["f_peak"] <= min(earlier)[0]:
            return None
        _, high, number = min(earlier)
        return int(row["id"]), number + 1, int(row["f_peak"] > high)

    # Forced fits ----------------------------------------------------------------

    def null_detections(self, image: Image) -> list[tuple[Source, float, float]]:
        expiration = self.parameters.source_extraction.expiration
        time = image.measured.header.taustart_us
        return [
            (source, source.mean["ra"], source.mean["decl"])
            for source in self.sources
            if not source.monitored and source.forced_fits < expiration
            if image.region in source.regions and source.first_us < time
            if id(source) not in image.seen
        ]

    def force(self, image: Image) -> None:
        alive = {id(source) for source in self.sources}
        for source, ra, decl in image.requests:
            row = self.fit(image.measured, ra, decl)
            if row and id(source) in alive:
                add_point(source, image, self.named(row, image), 7, 0.0, 0.0)
                source.forced_fits += 1
        for number, (ra, decl) in enumerate(self.monitor):
            if row := self.fit(image.measured, ra, decl):
                self.monitored(image, number, self.named(row, image))

    def monitored(self, image: Image, number: int, row: Row) -> None:
        source = self.monitors[number]
        if source:
            source.datapoints += 1
            add_point(source, image, row, 9, 0.0, 0.0)
            return
        source = Source(int(row["id"]), int(row["time"]), first_mean(row))
        source.monitored = True
        add_point(source, image, row, 8, 0.0, 0.0)
        self.monitors[number] = source
        self.sources.append(source)
