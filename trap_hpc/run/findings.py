"""The findings of batches, so that a file is not read once for each image."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from trap_hpc.paths import RunPaths
from trap_hpc.pipeline.measurements import Finding, load
from trap_hpc.pipeline.records import ForcedImage, MeasuredImage
from trap_hpc.run.ledger import Ledger

ByAddress = dict[str, Finding]


class Findings:
    """Findings by batch and address, until they are dropped.

    The oldest batches make room for new ones.
    """

    def __init__(
        self, ledger: Ledger, paths: RunPaths, limit_bytes: int = 2**27
    ) -> None:
        self._ledger = ledger
        self._paths = paths
        self._limit_bytes = limit_bytes
        self._batches: OrderedDict[int, ByAddress] = OrderedDict()
        self._bytes = 0

    def keep(self, batch: int, findings: Sequence[Finding]) -> ByAddress:
        """Remember the findings of a batch that was just read."""
        by_address = {address_of(finding): finding for finding in findings}
        self._batches[batch] = by_address
        self._bytes += _size(by_address)
        while self._bytes > self._limit_bytes and len(self._batches) > 1:
            self._bytes -= _size(self._batches.popitem(last=False)[1])
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
            by_address = self._batches[batch]
            if address in by_address:
                return by_address[address]
            self._forget(batch)  # it was dropped, and is wanted again
        file, checksum = self._ledger.file(batch)
        findings = load(self._paths.measurements / file, checksum)
        return self.keep(batch, findings)[address]

    def drop(self, batch: int, address: str) -> None:
        """Nobody will ask for this one again; if so, the file is read again."""
        by_address = self._batches.get(batch, {})
        finding = by_address.pop(address, None)
        if finding is not None:
            self._bytes -= _bytes(finding)
        if batch in self._batches and not by_address:
            self._forget(batch)

    def _forget(self, batch: int) -> None:
        self._bytes -= _size(self._batches.pop(batch))


def address_of(finding: Finding) -> str:
    """Return the address of the image that ``finding`` is about."""
    if isinstance(finding, MeasuredImage):
        return finding.header.address
    return finding.address


def _size(findings: ByAddress) -> int:
    return sum(_bytes(finding) for finding in findings.values())


def _bytes(finding: Finding) -> int:
    overhead = 2000
    if isinstance(finding, MeasuredImage):
        return overhead + finding.blind.nbytes
    if isinstance(finding, ForcedImage):
        return overhead + finding.fits.nbytes
    return overhead
