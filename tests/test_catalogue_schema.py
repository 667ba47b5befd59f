from __future__ import annotations

import csv
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.schema import CreateTable

from tests.catalogues import ask, made_run
from trap_hpc.catalogue import own_tables, schema
from trap_hpc.catalogue.columns import METADATA

TRAP_TABLES = Path(__file__).parent / "data" / "golden" / "split"


@pytest.mark.parametrize(
    "path", sorted(TRAP_TABLES.glob("*.csv")), ids=lambda p: p.stem
)
def test_tables_have_the_columns_of_trap_in_their_order(path: Path) -> None:
    with path.open(newline="") as file:
        columns = next(csv.reader(file))
    assert [column.name for column in METADATA.tables[path.stem].columns] == columns


def test_types_are_those_of_trap() -> None:
    dialect = make_url("postgresql+psycopg://").get_dialect()()
    made = str(CreateTable(schema.IMAGE).compile(dialect=dialect))
    for line in (
        "stokes SMALLINT DEFAULT 1 NOT NULL",
        "freq_eff DOUBLE PRECISION NOT NULL",
        "taustart_ts TIMESTAMP WITHOUT TIME ZONE NOT NULL",
        "url VARCHAR(1024)",
    ):
        assert line in made


def test_our_own_tables_are_told_by_their_name() -> None:
    own = {own_tables.INFO, own_tables.REFUSAL, own_tables.IMAGE_EXTRA}
    named = {t for t in METADATA.tables.values() if t.name.startswith("trap_hpc_")}
    assert named == own


def test_revision_and_reasons_are_there(tmp_path: Path) -> None:
    run = made_run(tmp_path)
    assert ask(run, "SELECT name, value FROM version") == [("revision", 40)]
    reasons = ask(run, "SELECT id, description FROM rejectreason ORDER BY id")
    assert reasons[:2] == [(0, "RMS invalid"), (1, "beam invalid")]
    assert len(reasons) == 6


def test_every_reference_finds_its_row(tmp_path: Path) -> None:
    run = made_run(tmp_path)
    assert ask(run, "PRAGMA foreign_key_check") == []


def test_what_is_joined_is_indexed(tmp_path: Path) -> None:
    run = made_run(tmp_path)
    engine = sa.create_engine(f"sqlite:///{run / 'catalogue.sqlite'}")
    indexes = sa.inspect(engine).get_indexes("assocxtrsource")
    engine.dispose()
    assert {tuple(index["column_names"]) for index in indexes} == {
        ("runcat", "xtrsrc"),
        ("xtrsrc",),
    }
