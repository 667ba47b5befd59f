"""What is read back from JSON is what was declared, or it is refused."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from trap_hpc.engines.broker import read_broker
from trap_hpc.engines.celery.messages import announcement_from, reports_from
from trap_hpc.engines.redis_server.folder import ServerFolder, read_order
from trap_hpc.errors import BrokerError, RunError
from trap_hpc.jsonrecords import parse_record, record_from
from trap_hpc.run.session.record import may_be_up, read_session
from trap_hpc.worker.rollcall import read_roll_calls


@dataclass(frozen=True, slots=True)
class Inner:
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outer:
    number: int
    seconds: float
    names: tuple[str, ...] = ()
    inner: Inner | None = None
    parts: tuple[Inner, ...] = ()


FULL = Outer(
    number=1, seconds=2.5, names=("a", "b"), inner=Inner("x"), parts=(Inner("y"),)
)

HOSTILE = [
    b"",
    b"\xff\xfe",
    b"{",
    b"null",
    b"5",
    b'"text"',
    b"[]",
    b"{}",
    b"[" * 100_000,
    b'{"schema_version": 1, "epoch": 1}',
    b'{"schema_version": 1, "kind": "Here", "worker": [1], "slots": "many"}',
]


def test_a_record_comes_back_as_it_was() -> None:
    text = json.dumps({"schema_version": 1, **asdict(FULL)})
    assert parse_record(Outer, text.encode()) == FULL


def test_a_whole_number_is_a_time_too() -> None:
    seconds = record_from(Outer, {"number": 1, "seconds": 2}).seconds
    assert isinstance(seconds, float)


@pytest.mark.parametrize(
    "changes",
    [
        {"number": "1"},
        {"number": True},
        {"number": 1.0},
        {"number": None},
        {"seconds": "soon"},
        {"seconds": float("nan")},
        {"seconds": float("inf")},
        {"seconds": 10**400},
        {"names": "ab"},
        {"names": [1]},
        {"names": {}},
        {"inner": "x"},
        {"inner": {}},
        {"inner": {"name": {}}},
        {"parts": [{"name": 1}]},
        {"unknown": 1},
    ],
)
def test_what_is_of_another_type_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="no "):
        record_from(Outer, {"number": 1, "seconds": 1.0, **changes})


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_file_is_refused_in_a_sentence(tmp_path: Path, text: bytes) -> None:
    for name in ("session.json", "broker.json", "guard.json"):
        (tmp_path / name).write_bytes(text)
    with pytest.raises(RunError, match=r"session\.json can't be read"):
        read_session(tmp_path)
    with pytest.raises(BrokerError, match="can't be read"):
        read_broker(tmp_path / "broker.json")
    with pytest.raises(BrokerError, match="can't be read"):
        read_order(ServerFolder(tmp_path))
    assert not may_be_up(tmp_path)


def test_hostile_roll_calls_are_left_out(tmp_path: Path) -> None:
    for number, text in enumerate(HOSTILE):
        (tmp_path / f"{number}.json").write_bytes(text)
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "nowhere.json").symlink_to(tmp_path / "nothing")
    assert not read_roll_calls(tmp_path, 1)


HERE = {
    "kind": "Here",
    "worker": "w",
    "job": "1",
    "node": "n1",
    "slots": 2,
    "address": "10.0.0.1",
}


@pytest.mark.parametrize(
    "forged",
    [
        {**HERE, "worker": ["w"]},
        {**HERE, "slots": "2"},
        {**HERE, "held": [["a"]]},
        {**HERE, "job": {"id": 1}},
        {**HERE, "kind": ["Here"]},
        {"kind": "Taken", "worker": "w", "id": {}},
        {"kind": "Done", "worker": "w", "id": "a", "receipt": "all"},
        {"kind": "Raised", "worker": "w", "id": "a", "error": 5},
    ],
)
def test_a_forged_report_is_refused(forged: object) -> None:
    assert reports_from([HERE])
    with pytest.raises(ValueError, match="not reports"):
        reports_from([HERE, forged])


def test_a_forged_lease_is_refused() -> None:
    with pytest.raises(ValueError, match="not an announcement"):
        announcement_from({"kind": "Lease", "beat": {"epoch": 1, "count": "2"}})
