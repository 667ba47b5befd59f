"""What somebody can do who has a broker's password, but none of the run's files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import redis
from celery.exceptions import InvalidTaskError

from tests.batches import Counted, Fate
from tests.batches import ledger as ledger
from tests.batches import paths as paths
from tests.batches import refusals as refusals
from tests.brokers import binary as binary
from tests.brokers import client, private_broker
from trap_hpc.engines.base import Finished, Outcome
from trap_hpc.engines.celery.assignment import read_task
from trap_hpc.pipeline.measurements import save
from trap_hpc.pipeline.records import Refusal
from trap_hpc.pipeline.tasks import Batch, Receipt, Task


def message(batch: object, attempt: object = 1) -> SimpleNamespace:
    return SimpleNamespace(
        payload=([], {"batch": batch, "attempt": attempt}, {}), headers={"id": "x"}
    )


def test_a_message_of_ours_names_a_batch() -> None:
    named, task = read_task(message("measure-1-000001"), "/run")
    assert (named, task) == ("x", Task(run="/run", batch="measure-1-000001"))


@pytest.mark.parametrize(
    "batch",
    [
        *("../../tmp/batch", "/tmp/batch", "..", ".hidden", "a/b", "", "a\nb", "a\0b"),
        *(["a"], {"a": 1}, "é"),
    ],
)
def test_no_message_names_a_file_elsewhere(batch: object) -> None:
    """A worker would read its batch there, and write what it finds beside it."""
    with pytest.raises(InvalidTaskError, match="no task of ours"):
        read_task(message(batch), "/run")


@pytest.mark.parametrize("where", ["{0}/forged.h5", "../../forged.h5", "other.1.h5"])
def test_a_forged_report_brings_no_measurement_file_from_elsewhere(
    refusals: Callable[[Fate, int], Counted], tmp_path: Path, where: str
) -> None:
    """Nor that of another batch; the file is good, and so is its checksum."""
    forged = [Refusal(address="0.fits", kind="left out", reason="forged")]
    file = where.format(tmp_path)
    sent: list[Task] = []

    def fate(task: Task, batch: Batch) -> Outcome | None:
        sent.append(task)
        if task.attempt > 1:
            return None
        path = Path(task.run) / "measurements" / file
        receipt = Receipt(file=file, checksum=save(path, forged), items=1, seconds=1.0)
        return Finished(task=task, receipt=receipt)

    counted = refusals(fate, 1)
    assert counted.done == ["0.fits"]
    assert counted.executed["0.fits"] == 1
    assert [task.attempt for task in sent] == [1, 2]


SCRIPTS = (
    "return redis.call('FLUSHALL')",
    "return redis.call('CONFIG', 'GET', '*')",
    "return redis.call('ACL', 'LIST')",
    "return redis.call('DEBUG', 'SLEEP', '0')",
    "return redis.call('KEYS', '*')",
)


def test_a_script_may_do_no_more_than_who_sends_it(tmp_path: Path, binary: str) -> None:
    with private_broker(tmp_path, binary=binary) as private, client(private) as known:
        assert known.eval("return 1", 0) == 1
        for script in SCRIPTS:
            with pytest.raises(redis.ResponseError):
                known.eval(script, 0)
        for unsafe in ("return os.execute('true')", "return io.open('/etc/passwd')"):
            with pytest.raises(redis.ResponseError):
                known.eval(unsafe, 0)
