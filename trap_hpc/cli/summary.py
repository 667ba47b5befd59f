"""What a person reads at the end of a run: what came of it, and what to do next."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trap_hpc.cli.output import echo
from trap_hpc.cli.watch import time_text
from trap_hpc.plaintext import one_line

if TYPE_CHECKING:
    from trap_hpc.run.progress import Summary

REASONS_SHOWN = 8
ADDRESSES_SHOWN = 3
LIMITS = {
    "RMS value not within": "rms_est_min, rms_est_max",
    "sigma about the mean": "rms_rej_sigma, rms_est_history",
    "Beam too elliptical": "elliptical_x",
    "Beam oversampled": "oversampled_x",
    "times theoretical noise": "low_bound, high_bound",
    "degrees from": "min_separation",
}
"""By words of the reasons why images are rejected: the parameters that set limits."""
_NUMBER = re.compile(r"[-+]?\d[\d.]*(?:[eE][-+]?\d+)?")


def print_summary(summary: Summary) -> None:
    """Print the closing summary."""
    for line in summary_lines(summary):
        echo(line)


def summary_record(summary: Summary) -> dict[str, Any]:
    """Return the summary as JSON has it."""
    record = asdict(summary)
    record["directory"] = str(summary.directory)
    record["rejections"] = [
        {"address": address, "reason": reason} for address, reason in summary.rejections
    ]
    record["exit_code"] = summary.exit_code
    return record


def summary_lines(summary: Summary) -> Iterator[str]:
    """Give the closing summary line by line."""
    run, directory = summary.run_id, summary.directory
    everything = f"trap-hpc export {run} lists them"
    yield (
        f"{run}: {summary.associated} of {summary.images} images are in the catalogue, "
        f"after {time_text(summary.elapsed_s)}"
    )
    yield f"  sources       {summary.sources}"
    yield f"  candidates    {summary.candidates}{_likely(summary)}"
    if summary.rejections:
        yield f"  rejected      {len(summary.rejections)} by quality checks"
        yield from grouped(summary.rejections, places=everything)
    for kind, pairs in _by_kind(summary):
        yield f"  {kind:<13} {len(pairs)}"
        yield from grouped(pairs, places=everything)
    yield f"  catalogue     {directory / 'catalogue.sqlite'}"
    yield f"  light curves  {directory / 'lightcurves.h5'}"
    if summary.database:
        yield f"  database      {summary.database}"
    yield "next:"
    yield f"  trap-hpc candidates {run}"
    yield f"  trap-hpc export {run} --format votable"
    if summary.exit_code:
        yield f"  trap-hpc resume {run} --retry-refused    tries the bad images again"


def advice(reason: str) -> str:
    """Name the parameters that a quality check goes by, for a reason to reject."""
    return next((names for words, names in LIMITS.items() if words in reason), "")


def _likely(summary: Summary) -> str:
    if not summary.likely:
        return ""
    return f" ({summary.likely} of type 1: likely transients)"


def _by_kind(summary: Summary) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    kinds = dict.fromkeys(refusal.kind for refusal in summary.refusals)
    for kind in sorted(kinds, key=_severity):
        pairs = [(r.address, r.reason) for r in summary.refusals if r.kind == kind]
        yield kind, pairs


def _severity(kind: str) -> tuple[int, str]:
    order = ("failed", "unreadable", "left out", "duplicate", "note")
    return (order.index(kind) if kind in order else len(order), kind)


def grouped(pairs: Iterable[tuple[str, str]], places: str = "") -> Iterator[str]:
    """Give each kind of reason once: reasons that differ in numbers only are one.

    Where ``places`` says who lists all of them, only the most frequent are given.
    """
    here = f"{Path.cwd()}/"
    groups: dict[str, list[tuple[str, str]]] = {}
    for address, reason in pairs:
        named = one_line(address), one_line(reason)
        groups.setdefault(_NUMBER.sub("#", reason), []).append(named)
    ordered = sorted(groups.values(), key=len, reverse=True)
    shown = ordered[:REASONS_SHOWN] if places else ordered
    for group in shown:
        addresses = [address.removeprefix(here) for address, _ in group]
        yield f"    {len(group)} x {group[0][1].replace(here, '')}"
        yield f"        {_some(addresses)}"
        if names := advice(group[0][1]):
            yield f"        limits: {names}"
    if len(ordered) > len(shown):
        yield f"    and {len(ordered) - len(shown)} more kinds of reasons: {places}"


def _some(addresses: list[str]) -> str:
    shown = ", ".join(addresses[:ADDRESSES_SHOWN])
    more = len(addresses) - ADDRESSES_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
