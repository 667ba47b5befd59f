"""What workers and launcher tell each other arrives as it was sent."""

from __future__ import annotations

import pytest

from trap_hpc.engines.celery.messages import (
    Announcement,
    Done,
    Here,
    Killed,
    Lease,
    Left,
    Raised,
    Report,
    Restart,
    Returned,
    Stop,
    Taken,
    announcement_from,
    reports_from,
    to_record,
)
from trap_hpc.engines.lease import Beat
from trap_hpc.pipeline.tasks import Receipt

RECEIPT = Receipt(file="f", checksum="c", items=1, seconds=1.0)
HERE = Here(worker="w", job="j", node="n", slots=2, address="a", held=("a", "b"))


@pytest.mark.parametrize(
    "report",
    [
        HERE,
        Taken(worker="w", id="a"),
        Done(worker="w", id="a", receipt=RECEIPT),
        Raised(worker="w", id="a", error="e", fatal=True),
        Killed(worker="w", id="a", how="signal 9"),
        Returned(worker="w", id="a"),
        Left(worker="w"),
    ],
)
def test_a_report_arrives_as_it_was_sent(report: Report) -> None:
    assert reports_from([to_record(report)]) == [report]


@pytest.mark.parametrize(
    "announcement", [Lease(beat=Beat(1, 2)), Stop(), Restart(worker="w")]
)
def test_an_announcement_arrives_as_it_was_sent(announcement: Announcement) -> None:
    assert announcement_from(to_record(announcement)) == announcement


@pytest.mark.parametrize(
    "body",
    [
        None,
        3,
        "x",
        [3],
        [{}],
        [{"kind": "Here"}],
        [{"kind": ["Here"]}],
        {"kind": "Gone"},
        [["kind"]],
        [{**to_record(HERE), "slots": "many"}],
        [{**to_record(HERE), "held": 3}],
        {"kind": "Lease", "beat": {"epoch": 1, "count": "x"}},
    ],
)
def test_other_messages_are_refused(body: object) -> None:
    with pytest.raises(ValueError, match="not reports"):
        reports_from(body)
    with pytest.raises(ValueError, match="not an announcement"):
        announcement_from(body)
