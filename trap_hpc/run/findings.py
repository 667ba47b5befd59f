"""The findings of recent batches, so that a file is not read once for each image."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence

from trap_hpc.paths import RunPaths
from trap_hpc.pipeline.measurements import Finding, load
from trap_hpc.pipeline.records import ForcedImage, MeasuredImage
from trap_hpc.run.ledger import Ledger

ByAddress = Mapping[str, Finding]


class Findings:
    """Findings by batch and address; the oldest batches make room for new ones."""

    def __init__(
        self, ledger: Ledger, paths: RunPaths, limit_bytes: int = 2**27
    ) -> None:
        self._ledger = ledger
        self._paths = paths
        self._limit_bytes = limit_bytes
        self._batches: OrderedDict[int, tuple[ByAddress, int]] = OrderedDict()
        self._bytes = 0

    def keep(self, batch: int, findings: Sequence[Finding]) -> ByAddress:
        """Remember the findings of a batch that was just read."""
        by_address = {address_of(finding): finding for finding in findings}
        size = sum(_bytes(finding) for finding in findings)
        self._batches[batch] = by_address, size
        self._bytes += size
        while self._bytes > self._limit_bytes and len(self._batches) > 1:
            self._bytes -= self._batches.popitem(last=False)[1][1]
        return by_address

    def get(self, batch: int, address: str) -> Finding:
        """Return what ``batch`` says of the image at ``address``.

        Raises
        ------
        MeasurementError
            The batch's measurement file is missing or damaged.
        """
        if batch in self._batches:
            self._batches.move_to_end(batch)
            return self._batches[batch][0][address]
        file, checksum = self._ledger.file(batch)
        findings = load(self._paths.measurements / file, checksum)
        return self.keep(batch, findings)[address]


def address_of(finding: Finding) -> str:
    """Return the address of the image that ``finding`` is about."""
    if isinstance(finding, MeasuredImage):
        return finding.header.address
    return finding.address


def _bytes(finding: Finding) -> int:
    overhead = 2000
    if isinstance(finding, MeasuredImage):
        return overhead + finding.blind.nbytes
    if isinstance(finding, ForcedImage):
        return overhead + finding.fits.nbytes
    return overhead
