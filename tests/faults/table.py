"""The tables in the documentation, from the records of all runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median

from tests.faults.fault import Fault
from tests.faults.kinds import ALL
from tests.faults.records import STORM, Record
from tests.faults.trial import Result

BEGINNING = "<!-- The harness writes from here: make faults-long -->\n"
END = "<!-- to here. -->\n"
HEADS = (
    "what was broken",
    "tries",
    "recovery, median (s)",
    "worst (s)",
    "resumed",
    "sent again",
    "done twice",
    "lost",
    "counted twice",
    "left",
)


def write_tables(page: Path, records: Iterable[Record]) -> None:
    """Replace what is between the marks."""
    before, _, rest = page.read_text().partition(BEGINNING)
    _, mark, after = rest.partition(END)
    assert mark, f"{page} has no marks"
    page.write_text(before + BEGINNING + tables(list(records)) + END + after)


def tables(records: Sequence[Record]) -> str:
    rows = [
        row(fault, [r.result for r in records if r.kind == fault.name])
        for fault in ALL
        if any(record.kind == fault.name for record in records)
    ]
    parts = ["\n", lines([HEADS, *rows])]
    storms = [record.result for record in records if record.kind == STORM]
    if storms:
        parts += ["\n", storm(storms)]
    wrong = [record for record in records if record.result.wrong]
    if wrong:
        names = ", ".join(f"{record.kind} {record.number}" for record in wrong)
        parts += ["\n", f"Not as promised: {names}.\n"]
    return "".join([*parts, "\n"])


def row(fault: Fault, results: Sequence[Result]) -> tuple[str, ...]:
    times = [s for each in results for s in each.recoveries_s.get(fault.name, [])]
    return (
        f"**{fault.name}**: {fault.words}",
        str(sum(each.tries.get(fault.name, 0) for each in results)),
        f"{median(times):.1f}" if times else "-",
        f"{max(times):.1f}" if times else "-",
        str(sum(each.resumes for each in results)),
        *counts(results),
    )


def counts(results: Sequence[Result]) -> tuple[str, ...]:
    numbers = (
        sum(each.again for each in results),
        sum(each.twice for each in results),
        sum(each.lost for each in results),
        sum(each.counted_twice for each in results),
        sum(len(each.left) for each in results),
    )
    return tuple(map(str, numbers))


def storm(results: Sequence[Result]) -> str:
    """Say what the storm was and what came of it."""
    injected = sum(n for each in results for n in each.tries.values())
    kinds = len({name for each in results for name in each.tries})
    minutes = sum(each.seconds for each in results) / 60
    again, twice, lost, counted, left = counts(results)
    resumes = sum(each.resumes for each in results)
    batches = sum(each.batches for each in results)
    return (
        f"The storm: {injected} faults of {kinds} kinds at random in {minutes:.0f} "
        f"minutes, often several at once, over {len(results)} runs with {batches} "
        f"batches. {resumes} times a launcher had ended and the run was resumed. "
        f"{again} batches were sent again, {twice} done twice; {lost} results were "
        f"lost, {counted} counted twice, {left} things left behind.\n"
    )


def lines(rows: Sequence[Sequence[str]]) -> str:
    """Write a table in Markdown."""
    head, *others = rows
    rule = ["---", *["--:"] * (len(head) - 1)]
    return "".join(f"| {' | '.join(each)} |\n" for each in (head, rule, *others))
